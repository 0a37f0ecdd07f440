"""Work W: runs of A -> (B, C) -> D, whose steps do next to nothing."""

STEPS_IN_A_RUN = 4

Output = dict[str, int]


def a(number: int) -> Output:
	return {"value": number + 1}


def b(before: Output) -> Output:
	return {"value": before["value"] + 1}


def c(before: Output) -> Output:
	return {"value": before["value"] * 2}


def d(left: Output, right: Output) -> Output:
	return {"value": left["value"] + right["value"]}


def expected(number: int) -> Output:
	"""What D returns for a run that began with this number."""
	first = a(number)
	return d(b(first), c(first))
