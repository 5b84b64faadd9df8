package com.amazonaws.services.lambda.runtime;

/** Who called, as Cognito knows them. */
public interface CognitoIdentity {
    String getIdentityId();

    String getIdentityPoolId();
}
