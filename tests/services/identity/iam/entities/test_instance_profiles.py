"""Instance profiles and their one role."""

import json

from tests.services.identity.iam.conftest import EC2_TRUST, House, refused

TRUST = json.dumps(EC2_TRUST)


def test_a_profile_and_its_role(house: House) -> None:
    iam = house.iam
    made = iam.create_instance_profile(InstanceProfileName="machines", Path="/web/")["InstanceProfile"]
    assert set(made) == {"Path", "InstanceProfileName", "InstanceProfileId", "Arn", "CreateDate", "Roles"}
    assert (made["Arn"], made["Roles"]) == (house.arn("instance-profile/web/machines"), [])
    assert made["InstanceProfileId"].startswith("AIPA")
    taken = ("EntityAlreadyExists", "Instance Profile machines already exists.", 409)
    assert refused(iam.create_instance_profile, InstanceProfileName="machines") == taken
    role = house.role("worker", TRUST)
    house.role("other", TRUST)
    iam.add_role_to_instance_profile(InstanceProfileName="machines", RoleName="worker")
    found = iam.get_instance_profile(InstanceProfileName="machines")["InstanceProfile"]
    assert [each["Arn"] for each in found["Roles"]] == [role]
    assert found["Roles"][0]["AssumeRolePolicyDocument"] == EC2_TRUST
    assert iam.list_instance_profiles()["InstanceProfiles"] == [found]
    assert iam.list_instance_profiles_for_role(RoleName="worker")["InstanceProfiles"] == [found]
    assert iam.list_instance_profiles_for_role(RoleName="other")["InstanceProfiles"] == []
    no = ("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", 409)
    request = {"InstanceProfileName": "machines", "RoleName": "other"}
    assert refused(iam.add_role_to_instance_profile, **request) == no
    assert refused(iam.remove_role_from_instance_profile, **request)[0] == "NoSuchEntity"
    left = ("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", 409)
    assert refused(iam.delete_instance_profile, InstanceProfileName="machines") == left
    iam.remove_role_from_instance_profile(InstanceProfileName="machines", RoleName="worker")
    iam.delete_instance_profile(InstanceProfileName="machines")
    gone = ("NoSuchEntity", "Instance Profile machines cannot be found.", 404)
    assert refused(iam.get_instance_profile, InstanceProfileName="machines") == gone


def test_a_role_that_is_not_there(house: House) -> None:
    house.iam.create_instance_profile(InstanceProfileName="machines")
    no = ("NoSuchEntity", "The role with name none cannot be found.", 404)
    request = {"InstanceProfileName": "machines", "RoleName": "none"}
    assert refused(house.iam.add_role_to_instance_profile, **request) == no
