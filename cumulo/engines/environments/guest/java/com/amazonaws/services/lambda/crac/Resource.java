package com.amazonaws.services.lambda.crac;

/** Is told before a snapshot is taken and after it was restored. */
public interface Resource {
    void beforeCheckpoint(Context<? extends Resource> context) throws Exception;

    void afterRestore(Context<? extends Resource> context) throws Exception;
}
