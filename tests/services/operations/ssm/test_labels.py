"""LabelParameterVersion and UnlabelParameterVersion."""

from collections.abc import Callable
from typing import Any

Call = Callable[..., Any]


def test_labels_move_between_versions(ssm: Any, put: Call, refused: Call) -> None:
    put("p", "1")
    put("p", "2", Overwrite=True)
    answer = ssm.label_parameter_version(Name="p", Labels=["live", "blue"])
    assert (answer["ParameterVersion"], answer["InvalidLabels"]) == (2, [])
    ssm.label_parameter_version(Name="p", ParameterVersion=1, Labels=["live"])
    assert ssm.get_parameter(Name="p:live")["Parameter"]["Value"] == "1"
    answer = ssm.unlabel_parameter_version(Name="p", ParameterVersion=2, Labels=["live", "blue"])
    assert (answer["RemovedLabels"], answer["InvalidLabels"]) == (["blue"], ["live"])
    assert refused(ssm.get_parameter, Name="p:blue").code == "ParameterVersionNotFound"


def test_wrong_labels_are_named(ssm: Any, put: Call) -> None:
    put("p")
    wrong = ["1st", "aws-x", "SSMx", "a b"]
    answer = ssm.label_parameter_version(Name="p", Labels=["fine", *wrong])
    assert answer["InvalidLabels"] == wrong
    assert ssm.get_parameter(Name="p:fine")["Parameter"]["Version"] == 1


def test_limits_and_missing_versions(ssm: Any, put: Call, refused: Call) -> None:
    put("p")
    ssm.label_parameter_version(Name="p", Labels=[f"l{number}" for number in range(10)])
    assert refused(ssm.label_parameter_version, Name="p", Labels=["more"]).code == "ParameterVersionLabelLimitExceeded"
    error = refused(ssm.label_parameter_version, Name="p", ParameterVersion=4, Labels=["l"])
    assert error.message == "Systems Manager could not find version 4 of p. Verify the version and try again."
    assert (
        refused(ssm.unlabel_parameter_version, Name="q", ParameterVersion=1, Labels=["l"]).code == "ParameterNotFound"
    )
