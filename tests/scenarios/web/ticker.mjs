// Events sent one by one, in Hono, through its handler for response streams.
import { Hono } from "hono";
import { streamHandle } from "hono/aws-lambda";
import { streamSSE } from "hono/streaming";

const app = new Hono();
app.get("/", (context) => context.json({ ready: true }));
app.get("/ticks", (context) =>
  streamSSE(context, async (stream) => {
    for (let tick = 0; tick < 3; tick++) {
      await stream.writeSSE({ data: String(tick) });
      await stream.sleep(200);
    }
  }),
);

export const handler = streamHandle(app);
