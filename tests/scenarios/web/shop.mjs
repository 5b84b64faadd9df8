// A shop in Express, as a function through serverless-http.
import express from "express";
import serverless from "serverless-http";

const app = express();
app.use(express.json());
app.get("/items/:id", (request, response) => {
  response.cookie("last", request.params.id).cookie("seen", "yes");
  response.json({ id: request.params.id, query: request.query });
});
app.post("/items", (request, response) => response.status(201).json(request.body));
app.get("/picture", (_, response) => response.type("png").send(Buffer.from([0, 255, 1, 254])));

export const handler = serverless(app, { binary: ["image/*"] });
