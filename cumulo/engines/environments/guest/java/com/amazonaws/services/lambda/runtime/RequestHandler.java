package com.amazonaws.services.lambda.runtime;

/** A function of an input of type I that gives an output of type O. */
public interface RequestHandler<I, O> {
    O handleRequest(I input, Context context);
}
