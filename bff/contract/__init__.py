"""The API's contract: schemas, the OpenAPI document, and the collections of requests that are made from it."""
