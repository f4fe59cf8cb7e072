# syntax=docker/dockerfile:1

# Nothing is compiled: better-sqlite3 brings its binaries. No package's script is needed either; that of npm's `node` would
# fetch a second Node.js beside the image's.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json bundle.ts bundle-functions.ts ./
COPY src ./src
COPY migrations ./migrations
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY openapi ./openapi
# The ledger lives here when it is a SQLite file; mount a volume.
RUN mkdir /data && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
# To be reached from outside the container the configuration listens on 0.0.0.0, and must then have tokens.
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD node -e "fetch('http://127.0.0.1:8080/health/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
# Node is process 1 and handles SIGTERM itself: in-flight requests finish within 10 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--enable-source-maps", "--max-semi-space-size=16", "--v8-pool-size=1", "/app/dist/src/main.js"]
CMD ["serve", "--config", "/data/tranship.json"]
