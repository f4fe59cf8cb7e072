export default {
  root: process.cwd(),
  test: {
    include: ["test/{contract,integration,acceptance}/**/*.test.ts"],
    testTimeout: 60000,
    hookTimeout: 120000,
  },
};
