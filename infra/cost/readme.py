"""The figures of the READMEs' paragraph on what it costs, in two languages, between two marks."""

from collections.abc import Mapping

from infra.cost.alternatives import Alternative, Saving
from infra.cost.estimate import CostEstimate, Group
from infra.cost.goals import GOALS, beyond

BEGIN, END = "<!-- written by python -m infra.operations.cost --write -->", "<!-- until here -->"
ENGLISH, PORTUGUESE = "en", "pt"

_WORDS: Mapping[str, Mapping[str, str]] = {
    ENGLISH: {
        **{group: group for group in Group},
        "head": "US$ a month, {region}",
        "most": "at most tasks",
        "together": "together",
        "goal": "{name} is {above} above its goal of {goal}: {what}.",
        "kept": "{name} keeps to its goal of {goal}.",
        "for": "{usd} for {buys} (without: `{setting}`)",
    },
    PORTUGUESE: {
        Group.TASKS: "Contêineres em execução",
        Group.DATABASE: "Banco de dados",
        Group.ENTRANCE: "Entrada pela internet",
        Group.WAY_OUT: "Saída para a internet",
        Group.FIREWALL: "Firewall da web",
        Group.SECRETS: "Segredos, chaves, alarmes",
        Group.WATCHING: "Logs e métricas",
        Group.FILES: "Arquivos",
        "head": "US$ por mês, {region}",
        "most": "com o máximo de tasks",
        "together": "no total",
        "goal": "{name} está {above} acima da meta de {goal}: {what}.",
        "kept": "{name} cumpre a meta de {goal}.",
        "for": "{usd} por {buys} (sem isso: `{setting}`)",
    },
}

_BUYS_IN_PORTUGUESE: Mapping[str, str] = {
    "network.nat_gateways: 1": "uma saída em cada uma de duas zonas",
    "monitoring.container_insights: disabled": "CPU, memória e rede de cada task e contêiner",
    "services.asleep": "tasks e banco também à noite",
}


def passage(language: str, found: Mapping[str, tuple[CostEstimate, list[Saving]]]) -> str:
    """Return a table of the environments by purpose, rounded to dollars, and how they stand to their goals."""
    words = _WORDS[language]
    estimates = [estimate for estimate, _ in found.values()]
    sums = [estimate.by(lambda line: line.group) for estimate in estimates]
    groups = [group for group in Group if any(round(one.get(group, (0, 0))[0]) for one in sums)]
    rows = [
        [words["head"].format(region=estimates[0].region), *found],
        ["---"] * (len(found) + 1),
        *([words[group], *(f"{one.get(group, (0, 0))[0]:.0f}" for one in sums)] for group in groups),
        [f"**{words['together']}**", *(f"**{estimate.minimum:.0f}**" for estimate in estimates)],
        [words["most"], *(f"{estimate.maximum:.0f}" for estimate in estimates)],
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{BEGIN}\n\n{table}\n\n{_goals(language, found)}\n\n{END}"


def with_passage(text: str, new: str, begin: str = BEGIN, end: str = END) -> str:
    """Return a document with another passage, marks included, in the place of its own."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{new}{after}"


def _goals(language: str, found: Mapping[str, tuple[CostEstimate, list[Saving]]]) -> str:
    words, sentences = _WORDS[language], []
    for name, (estimate, savings) in found.items():
        goal = GOALS[name]
        above = beyond(goal, estimate.minimum, savings)
        what = ", ".join(
            words["for"].format(
                usd=f"{one.usd:.0f}", buys=_buys(language, one.alternative), setting=one.alternative.setting
            )
            for one in above
        )
        sentences.append(
            words["goal" if above else "kept"].format(
                name=name, above=f"{estimate.minimum - goal.usd:.0f}", goal=f"{goal.usd:.0f}", what=what
            )
        )
    return " ".join(sentences)


def _buys(language: str, alternative: Alternative) -> str:
    if language == ENGLISH:
        return alternative.buys
    return next(text for setting, text in _BUYS_IN_PORTUGUESE.items() if alternative.setting.startswith(setting))
