"""What tools answer with is checked the same wherever it is first made."""

from typing import Any, ForwardRef

import pytest
from pydantic import PydanticUserError, create_model

from cio_mcp.toolkit.answers.shapes import Shape

MISSING: Any = ForwardRef("Missing")

Late = create_model("Late", __base__=Shape, value=(MISSING, ...))


def test_an_answer_is_built_without_the_local_names_of_the_function_that_makes_it_first() -> None:
    Missing = int  # noqa: F841, N806

    with pytest.raises(PydanticUserError, match="not fully defined"):
        Late(value=1)
