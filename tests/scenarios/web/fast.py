"""A FastAPI application behind Mangum."""

from typing import Annotated

from fastapi import Cookie, FastAPI, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse
from mangum import Mangum
from pydantic import BaseModel


class Item(BaseModel):
    name: str
    price: float


app = FastAPI(title="shop")


@app.get("/items/{item_id}")
def read(item_id: int, request: Request, q: Annotated[list[str] | None, None] = None):
    if item_id == 404:
        raise HTTPException(404, "no such item")
    return {"id": item_id, "query": request.query_params.multi_items(), "agent": request.headers["user-agent"]}


@app.post("/items", status_code=201)
def create(item: Item, response: Response):
    response.set_cookie("last", item.name)
    response.set_cookie("seen", "yes")
    return item


@app.get("/picture")
def picture():
    return Response(bytes(range(256)), media_type="image/png")


@app.get("/cookies")
def cookies(last: Annotated[str | None, Cookie()] = None):
    return PlainTextResponse(f"last: {last}")


handler = Mangum(app)
