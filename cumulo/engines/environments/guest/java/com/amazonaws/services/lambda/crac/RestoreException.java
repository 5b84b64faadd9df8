package com.amazonaws.services.lambda.crac;

/** Resources failed after the restore; each failure is suppressed in it. */
public class RestoreException extends Exception {
    private static final long serialVersionUID = 1;

    public RestoreException() {
    }

    public RestoreException(String message) {
        super(message);
    }
}
