"""What is hidden is shown nowhere (C-rows): no message, trace or context; and it is data as any other."""

import copy
import pickle
import traceback

import pytest

from segue import Effect, GetExecutionContext, Resume, Seal, Try, answers, do, handles, run

SECRET = "swordfish"  # noqa: S105 - to be looked for


class Login(Effect[bool], hidden="password"):
    user: str
    password: str


class LoginWithToken(Login, hidden=["token"]):
    token: str = ""


@answers(Login)
def refuses(effect):
    raise PermissionError(effect.user)


def test_c105_hidden_field_is_shown_by_its_name_alone():
    assert repr(Login("ada", SECRET)) == "Login(user='ada', password=…)"


def test_c105_hidden_fields_are_inherited():
    assert repr(LoginWithToken("ada", SECRET, SECRET)) == "LoginWithToken(user='ada', password=…, token=…)"


def test_hidden_field_is_data_as_any_other():
    effect = Login("ada", SECRET)
    assert effect.password == SECRET
    assert effect == Login("ada", password=SECRET) != Login("ada", "other")
    assert pickle.loads(pickle.dumps(effect)) == copy.deepcopy(effect) == effect  # noqa: S301 - our own bytes
    match effect:
        case Login(user, password):
            assert (user, password) == ("ada", SECRET)


@pytest.mark.parametrize(
    "handlers", [[], [refuses], [lambda program: Seal([], program)]], ids=["nobody", "refused", "sealed"]
)
def test_c105_no_message_and_no_trace_shows_it(handlers):
    program = Login("ada", SECRET)
    for handler in handlers:
        program = handler(program)
    result = run(program, trace=True)
    told = "".join(traceback.format_exception(result.error))
    assert "ada" in told
    assert SECRET not in told + repr(result.trace) + result.display() + repr(result)


def test_c105_context_of_a_clause_does_not_show_it():
    @handles(Login)
    def tells(effect, k):
        return (yield Resume(k, (yield GetExecutionContext())))

    @do
    def program():
        return (yield Login("ada", SECRET))

    result = run(program(), handlers=[tells])
    assert "Login" in repr(result.value)
    assert SECRET not in repr(result.value)


def test_c105_effect_within_an_effect_is_hidden_too():
    class Wraps(Effect[int]):
        inner: object

    assert SECRET not in str(run(Wraps([Try(Login("ada", SECRET))])).error)


@pytest.mark.parametrize("wrong", ["nope", ["password", "nope"], [3]])
def test_hiding_what_is_no_field_is_an_error_of_the_class(wrong):
    with pytest.raises(TypeError, match=r"hidden=('nope'|3) is no field"):

        class Wrong(Effect[int], hidden=wrong):
            password: str
