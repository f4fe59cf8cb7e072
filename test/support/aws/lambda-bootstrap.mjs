/** What Lambda's Node.js runtime does: imports the handler, and exchanges events for answers over the Runtime API. */

import { join } from "node:path";

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const [file, name] = process.env._HANDLER.split(".");

const post = (path, body) => fetch(api + path, { method: "POST", body: JSON.stringify(body) });
const asError = (error) => ({
  errorType: error?.name ?? "Error",
  errorMessage: error?.message ?? String(error),
  stackTrace: String(error?.stack ?? "").split("\n"),
});

let handler;
try {
  ({ [name]: handler } = await import(join(process.env.LAMBDA_TASK_ROOT, `${file}.mjs`)));
} catch (error) {
  await post("/init/error", asError(error));
  process.exit(1);
}

for (;;) {
  const next = await fetch(`${api}/invocation/next`);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const deadline = Number(next.headers.get("lambda-runtime-deadline-ms"));
  const context = {
    awsRequestId: id,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    invokedFunctionArn: next.headers.get("lambda-runtime-invoked-function-arn"),
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  try {
    const answer = await handler(await next.json(), context);
    await post(`/invocation/${id}/response`, answer ?? null);
  } catch (error) {
    await post(`/invocation/${id}/error`, asError(error));
  }
}
