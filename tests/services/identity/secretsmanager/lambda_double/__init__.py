"""Lambda for these tests: functions of the test itself stand in for Lambda's."""
