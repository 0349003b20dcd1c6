"""More notebooks that were labelled before the check was tried on them, each as its field writes them."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

TABLES = (
    case(
        "training and test rows are split in a cell",
        """
        from sklearn.datasets import load_iris
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import train_test_split
        """,
        """
        X, y = load_iris(return_X_y=True)
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
        X_train.shape, X_test.shape
        """,
        """
        @env.task
        def train(c: float = 1.0) -> float:
            model = LogisticRegression(C=c, max_iter=300).fit(X_train, y_train)
            return float(model.coef_.sum())
        """,
        refused="X_train y_train",
    ),
    case(
        "a helper builds the pipeline from lists of columns",
        """
        import pandas as pd
        from sklearn.compose import ColumnTransformer
        from sklearn.linear_model import LogisticRegression, Ridge
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler
        NUMERIC = ["age", "income"]
        CATEGORICAL = ["city"]
        frame = pd.DataFrame({"age": [1], "income": [2], "city": ["a"]})
        frame.head()
        """,
        """
        def build(c=1.0):
            columns = ColumnTransformer([
                ("numbers", StandardScaler(), NUMERIC),
                ("classes", OneHotEncoder(handle_unknown="ignore"), CATEGORICAL),
            ])
            return Pipeline([("columns", columns), ("model", LogisticRegression(C=c))])
        build().get_params()
        """,
        """
        @env.task
        def train(c: float) -> int:
            return len(build(c).steps)
        """,
        kept="build NUMERIC CATEGORICAL ColumnTransformer OneHotEncoder StandardScaler Pipeline LogisticRegression",
        left_out="frame pd Ridge",
    ),
    case(
        "a helper transforms with what a cell fitted",
        """
        import numpy as np
        from sklearn.preprocessing import StandardScaler
        table = np.arange(12.0).reshape(4, 3)
        scaler = StandardScaler().fit(table)
        """,
        """
        def features(rows):
            return scaler.transform(np.asarray(rows))
        """,
        """
        @env.task
        def train(rows: list[list[float]]) -> float:
            return float(features(rows).sum())
        """,
        refused="scaler",
    ),
    case(
        "an estimator that is not fitted yet is made in a cell",
        """
        from sklearn.linear_model import LogisticRegression
        model = LogisticRegression(max_iter=200)
        """,
        """
        @env.task
        def train(rows: list[list[float]], labels: list[int]) -> float:
            model.fit(rows, labels)
            return float(model.score(rows, labels))
        """,
        refused="model",
    ),
    case(
        "a space of parameters, and the class and the metric to search it with",
        """
        from collections.abc import Callable
        SPACE = {"C": [10.0**power for power in range(-3, 3)], "penalty": ("l1", "l2")}
        SIZE = len(SPACE["C"]) * len(SPACE["penalty"])
        def error(left, right):
            return sum(abs(one - other) for one, other in zip(left, right))
        METRICS: dict[str, Callable] = {"mae": error, "max": lambda left, right: max(map(abs, left))}
        METRIC = METRICS["mae"]
        """,
        """
        @env.task
        def train(values: list[float]) -> float:
            return METRIC(values, [SIZE] * len(values))
        """,
        kept="METRIC METRICS SIZE SPACE error",
    ),
    case(
        "the metric is looked up by a variable of the machine",
        """
        import os
        METRICS = {"sum": sum, "max": max}
        choice = os.environ.get("METRIC", "sum")
        metric = METRICS[choice]
        """,
        """
        @env.task
        def train(values: list[float]) -> float:
            return metric(values)
        """,
        refused="metric",
    ),
    case(
        "the best of the results of a loop",
        """
        results = {}
        for depth in (2, 4, 8):
            results[depth] = 1 / depth
        best = max(results, key=results.get)
        print(f"best depth: {best}")
        """,
        """
        @env.task
        def train(rows: int) -> int:
            return rows * best
        """,
        refused="best",
    ),
    case(
        "the columns that are not dropped, and one that is made",
        """
        COLUMNS = ("id", "age", "income", "label")
        DROPPED = {"id"}
        TARGET = "label"
        FEATURES = [column for column in COLUMNS if column not in DROPPED | {TARGET}]
        """,
        """
        FEATURES += ["age_squared"]
        FEATURES.remove("income")
        FEATURES
        """,
        """
        @env.task
        def train(row: dict[str, float]) -> float:
            return sum(row[name] for name in FEATURES) / row[TARGET]
        """,
        kept="FEATURES TARGET COLUMNS DROPPED",
    ),
    case(
        "the columns that a table has",
        """
        import pandas as pd
        TARGET = "label"
        frame = pd.DataFrame({"age": [1, 2], "label": [0, 1]})
        features = [column for column in frame.columns if column != TARGET]
        codes = {value: code for code, value in enumerate(sorted(set(frame[TARGET])))}
        """,
        """
        def encode(value):
            return codes.get(value, -1)
        @env.task
        def train(row: dict[str, float]) -> float:
            return sum(row[name] for name in features) + encode(row[TARGET])
        """,
        refused="features codes",
    ),
    case(
        "an encoder with state is made in the task, and another one in a cell",
        """
        class Encoder:
            unknown = -1
            def __init__(self):
                self.codes = {}
            def fit(self, values):
                for value in values:
                    self.codes.setdefault(value, len(self.codes))
                return self
            def __call__(self, value):
                return self.codes.get(value, self.unknown)
        encoder = Encoder().fit("abc")
        encoder("b")
        """,
        """
        @env.task
        def train(words: list[str]) -> list[int]:
            encoder = Encoder().fit(words)
            return [encoder(word) for word in words]
        """,
        kept="Encoder",
        left_out="encoder",
    ),
    case(
        "a table is an argument of the task and a name of the notebook",
        """
        import pandas as pd
        df = pd.DataFrame({"a": [1, 2, 3]})
        row = df.iloc[0]
        """,
        """
        def total(df, column="a"):
            return sum(row[column] for row in df)
        print(total([{"a": 1}]))
        """,
        """
        @env.task
        def train(df: list[dict[str, int]]) -> int:
            for row in df:
                row["b"] = row["a"]
            return total(df, column="b")
        """,
        kept="total",
        left_out="df row pd",
    ),
    case(
        "a helper forgets to take the table as an argument",
        """
        import pandas as pd
        df = pd.DataFrame({"a": [1, 2, 3]})
        factor = df["a"].max()
        """,
        """
        def clean(table, column):
            return df[column].dropna().apply(lambda value: value * factor)
        """,
        """
        @env.task
        def train(df: list[int]) -> int:
            return len(clean(df, "a"))
        """,
        refused="df factor",
    ),
    case(
        "columns of a frame are summed up by a function",
        """
        import pandas as pd
        COLUMNS = ["a", "b"]
        def means(frame, suffix="_mean"):
            return {name + suffix: frame[name].mean() for name in COLUMNS}
        """,
        """
        @env.task
        def train(rows: list[dict[str, float]]) -> float:
            return float(sum(means(pd.DataFrame(rows)).values()))
        """,
        kept="pd COLUMNS means",
    ),
    case(
        "a frame of limits is built in a cell",
        """
        import pandas as pd
        rule = pd.Series({"a": 3}) * 2
        """,
        """
        @env.task
        def train(rows: list[dict[str, float]]) -> int:
            return int((pd.DataFrame(rows)["a"] > rule["a"]).sum())
        """,
        refused="rule",
    ),
)
NETWORKS = (
    case(
        "a network of classes with a table of activations",
        """
        class Module:
            def __call__(self, *inputs):
                return self.forward(*inputs)
        class Linear(Module):
            def __init__(self, size, scale=1.0):
                super().__init__()
                self.weights = [scale] * size
            def forward(self, inputs):
                return [weight * value for weight, value in zip(self.weights, inputs)]
        """,
        """
        HIDDEN = 4
        ACTIVATIONS = {"relu": lambda value: max(value, 0.0), "identity": lambda value: value}
        class Net(Module):
            activation = "relu"
            def __init__(self, size=HIDDEN):
                super().__init__()
                self.layers = [Linear(size), Linear(size, scale=0.5)]
            def forward(self, inputs):
                for layer in self.layers:
                    inputs = [ACTIVATIONS[self.activation](value) for value in layer(inputs)]
                return inputs
        net = Net()
        net([1.0, -1.0])
        """,
        """
        @env.task
        def train(inputs: list[float]) -> float:
            net = Net(len(inputs))
            return sum(net(inputs))
        """,
        kept="Module Linear Net HIDDEN ACTIVATIONS",
        left_out="net",
    ),
    case(
        "the network, its weights and its device live in the notebook",
        """
        import numpy as np
        class Net:
            def __init__(self, size, device):
                self.size, self.device = size, device
        def available():
            return False
        device = "cuda" if available() else "cpu"
        net = Net(4, device)
        weights = np.zeros((4, 4))
        bias = np.zeros(4)
        """,
        """
        def forward(inputs):
            return np.asarray(inputs) @ weights + bias
        @env.task
        def train(inputs: list[float]) -> float:
            return float(forward(inputs).sum()) + net.size + len(device)
        """,
        refused="weights bias net device",
    ),
    case(
        "a generator of random numbers is made in a cell",
        """
        import numpy as np
        SEED = 7
        rng = np.random.default_rng(SEED)
        def initial(*shape):
            return rng.normal(size=shape)
        """,
        """
        @env.task
        def train(size: int) -> float:
            return float(initial(size, size).mean())
        """,
        refused="rng",
    ),
    case(
        "a generator of random numbers is made where it is used",
        """
        import numpy as np
        SEED = 7
        def initial(*shape, rng=None):
            rng = rng or np.random.default_rng(SEED)
            return rng.normal(size=shape)
        rng = np.random.default_rng(SEED + 1)
        initial(2, rng=rng)
        """,
        """
        @env.task
        def train(size: int) -> float:
            return float(initial(size).mean())
        """,
        kept="np SEED initial",
        left_out="rng",
    ),
    case(
        "batches come from a generator with a constant size",
        """
        EPOCHS, BATCH = 2, 3
        def batches(rows, size=BATCH):
            for start in range(0, len(rows), size):
                yield rows[start : start + size]
        loss = [sum(batch) for batch in batches([1, 2, 3, 4])]
        """,
        """
        @env.task
        def train(rows: list[float]) -> float:
            loss = 0.0
            for epoch in range(EPOCHS):
                loss += sum(sum(batch) / len(batch) for batch in batches(rows))
            return loss
        """,
        kept="EPOCHS BATCH batches",
        left_out="loss",
    ),
    case(
        "the folder of a run is named after the time",
        """
        from datetime import datetime
        from pathlib import Path
        ROOT = Path("runs")
        RUN = f"run-{datetime.now():%Y%m%d}"
        OUT = ROOT / RUN / "checkpoints"
        """,
        """
        @env.task
        def train(step: int) -> str:
            return str(OUT / f"{step:05}.bin") + str(ROOT)
        """,
        refused="OUT",
    ),
    case(
        "early stopping is an instance of a dataclass with state",
        """
        from dataclasses import dataclass, field
        @dataclass
        class Patience:
            limit: int
            losses: list[float] = field(default_factory=list)
            def stop(self, loss):
                self.losses.append(loss)
                return len(self.losses) > self.limit and min(self.losses[-self.limit :]) > min(self.losses)
        STOP = Patience(limit=3)
        """,
        """
        @env.task
        def train(losses: list[float]) -> int:
            return next((step for step, loss in enumerate(losses) if STOP.stop(loss)), len(losses))
        """,
        kept="Patience STOP dataclass field",
    ),
    case(
        "configurations of dataclasses inside each other",
        """
        from dataclasses import asdict, dataclass
        RATE = 1e-3
        @dataclass(frozen=True)
        class Optimizer:
            name: str = "adam"
            rate: float = RATE
        @dataclass(frozen=True)
        class Config:
            optimizer: Optimizer = Optimizer()
            layers: tuple[int, ...] = (64, 32)
        CONFIG = Config(optimizer=Optimizer("sgd", rate=RATE * 10), layers=(128,) * 2)
        asdict(CONFIG)
        """,
        """
        @env.task
        def train(steps: int) -> float:
            return steps * CONFIG.optimizer.rate * len(CONFIG.layers)
        """,
        kept="CONFIG Config Optimizer RATE dataclass",
        left_out="asdict",
    ),
    case(
        "a configuration is an instance of a dataclass with what a text held",
        """
        import json
        from dataclasses import dataclass
        @dataclass
        class Config:
            rate: float
            layers: int = 2
        text = '{"rate": 0.1}'
        config = Config(**json.loads(text))
        """,
        """
        @env.task
        def train(steps: int) -> float:
            return steps * config.rate * config.layers
        """,
        refused="config",
    ),
)
TEXTS = (
    case(
        "words are found with a pattern and counted without stop words",
        """
        import re
        from collections import Counter
        WORD = re.compile(r"[a-z']+", re.IGNORECASE)
        STOP = frozenset("a an and the of".split())
        def tokens(text):
            yield from (word for word in WORD.findall(text.lower()) if word not in STOP)
        Counter(tokens("The end of the line")).most_common(2)
        """,
        """
        @env.task
        def train(texts: list[str]) -> dict[str, int]:
            counts = Counter()
            for text in texts:
                counts.update(tokens(text))
            return dict(counts)
        """,
        kept="re Counter WORD STOP tokens",
    ),
    case(
        "the words of a collection of texts, and their numbers",
        """
        from collections import Counter
        texts = ["a b", "b c"]
        def tokens(text):
            return text.split()
        counts = Counter(token for text in texts for token in tokens(text))
        numbers = {word: number for number, (word, _) in enumerate(counts.most_common())}
        """,
        """
        @env.task
        def train(text: str) -> list[int]:
            return [numbers.get(token, -1) * counts[token] for token in tokens(text)]
        """,
        refused="numbers counts",
    ),
    case(
        "stop words come from a file",
        """
        from pathlib import Path
        STOP = {line.strip() for line in Path("/dev/null").read_text().splitlines()}
        def clean(text):
            return [word for word in text.split() if word not in STOP]
        """,
        """
        @env.task
        def train(text: str) -> int:
            return len(clean(text))
        """,
        refused="STOP",
    ),
    case(
        "steps that clean a text are functions of several kinds",
        """
        import html
        import unicodedata
        from functools import partial, reduce
        QUOTES = {"\\u2019": "'", "\\u201c": '"'}
        def replace(text, table=QUOTES):
            return "".join(table.get(letter, letter) for letter in text)
        plain = partial(unicodedata.normalize, "NFKC")
        STEPS = (str.strip, html.unescape, plain, replace, lambda text: text.casefold())
        clean = lambda text: reduce(lambda value, step: step(value), STEPS, text)
        clean("  caf&eacute; ")
        """,
        """
        @env.task
        def train(text: str) -> str:
            return clean(text)
        """,
        kept="html unicodedata partial reduce QUOTES replace plain STEPS clean",
    ),
    case(
        "a vectorizer and the matrix it made",
        """
        from sklearn.feature_extraction.text import TfidfVectorizer
        texts = ["a first text", "a second text"]
        vectorizer = TfidfVectorizer(min_df=1)
        matrix = vectorizer.fit_transform(texts)
        """,
        """
        @env.task
        def train(text: str) -> float:
            weight = lambda word: vectorizer.vocabulary_.get(word, 0)
            return sum(map(weight, text.split())) / matrix.shape[0]
        """,
        refused="vectorizer matrix",
    ),
    case(
        "messages for a language model are put together from texts",
        '''
        VERSION = 3
        SYSTEM = """
        You are a careful analyst.
        Answer in one sentence.
        """.strip()
        EXAMPLES = [{"role": "user", "content": "2 + 2?"}]
        EXAMPLES.extend([{"role": "assistant", "content": "4."}])
        PROMPT = f"{SYSTEM} (v{VERSION})\\n\\n{{question}}"
        MESSAGES = [{"role": "system", "content": SYSTEM}, *EXAMPLES]
        print(PROMPT.format(question="Why?"))
        ''',
        """
        @env.task
        def train(question: str) -> int:
            messages = [*MESSAGES, {"role": "user", "content": PROMPT.format(question=question)}]
            return len(messages)
        """,
        kept="VERSION SYSTEM EXAMPLES PROMPT MESSAGES",
    ),
    case(
        "a template of a prompt and the prompt it gave",
        """
        from jinja2 import Template
        template = Template("Summarise {{ text }} in {{ words }} words.")
        prompt = template.render(text="this", words=5)
        """,
        """
        def ask(text):
            return template.render(text=text, words=9)
        @env.task
        def train(text: str) -> str:
            return ask(text) + prompt
        """,
        refused="template prompt",
    ),
    case(
        "tools of an agent are in a table and the agent keeps what was said",
        """
        import inspect
        from typing import Any, Callable
        def add(left: int, right: int) -> int:
            "Add two numbers."
            return left + right
        TOOLS: dict[str, Callable[..., Any]] = {"add": add, "negate": lambda value: -value}
        def describe(tool):
            return f"{tool.__name__}{inspect.signature(tool)}: {tool.__doc__}"
        """,
        """
        class Agent:
            def __init__(self, tools=TOOLS):
                self.tools, self.history = tools, []
            def call(self, name, *arguments):
                self.history.append((name, arguments, describe(self.tools[name])))
                return self.tools[name](*arguments)
        agent = Agent()
        agent.call("add", 1, 2)
        """,
        """
        @env.task
        def train(value: int) -> int:
            agent = Agent()
            return agent.call("add", value, agent.call("negate", value))
        """,
        kept="inspect add TOOLS describe Agent Any Callable",
        left_out="agent",
    ),
    case(
        "what was said to a model so far",
        """
        class Client:
            def __init__(self, key):
                self.key = key
            def reply(self, messages):
                return {"role": "assistant", "content": str(len(messages))}
        client = Client(key="none")
        history = [{"role": "user", "content": "Hello"}]
        history.append(client.reply(history))
        """,
        """
        @env.task
        def train(question: str) -> int:
            return len([*history, client.reply([question])])
        """,
        refused="client history",
    ),
    case(
        "a prompt with a typing mistake in its name",
        """
        SYSTEM_PROMPT = "Be brief."
        """,
        """
        def ask(question, system=SYSTEM_PROMPT):
            return f"{SYSTEM_PROMT}: {question}"
        @env.task
        def train(question: str) -> str:
            return ask(question)
        """,
        refused="SYSTEM_PROMT",
    ),
)
SERIES = (
    case(
        "the start, the horizon and the holidays of a forecast",
        """
        from datetime import date, datetime, timedelta, timezone
        START = date(2024, 1, 1)
        HORIZON = timedelta(days=14)
        END = START + HORIZON
        HOLIDAYS = {START: "New Year", date(2024, 5, 1): "Labour Day"}
        UTC = timezone.utc
        def working(day, end=END):
            return day <= end and day not in HOLIDAYS and day.weekday() < 5
        """,
        """
        @env.task
        def train(days: int) -> int:
            stamp = datetime(2024, 1, 1, tzinfo=UTC)
            return sum(working(START + timedelta(days=day)) for day in range(days)) + stamp.hour
        """,
        kept="date datetime timedelta timezone START HORIZON END HOLIDAYS UTC working",
    ),
    case(
        "a forecast begins today",
        """
        from datetime import date, timedelta
        TODAY = date.today()
        END = TODAY + timedelta(days=14)
        """,
        """
        @env.task
        def train(days: int, end: date = END) -> int:
            return (end - TODAY).days + days
        """,
        refused="TODAY END",
    ),
    case(
        "a default argument of a helper is a series",
        """
        import pandas as pd
        index = pd.date_range("2024-01-01", periods=6, freq="h")
        series = pd.Series(range(6), index=index)
        daily = series.resample("D").mean()
        """,
        """
        def smooth(values, reference=daily):
            return sum(values) - float(reference.iloc[0])
        @env.task
        def train(values: list[float]) -> float:
            return smooth(values)
        """,
        refused="daily",
    ),
    case(
        "windows move over values in a generator",
        """
        from collections import deque
        from itertools import islice, tee
        WINDOW = 3
        def rolling(values, size=WINDOW):
            values = iter(values)
            window = deque(islice(values, size), maxlen=size)
            yield tuple(window)
            for value in values:
                window.append(value)
                yield tuple(window)
        window = next(rolling([1, 2, 3, 4]))
        """,
        """
        @env.task
        def train(values: list[float]) -> float:
            return max(sum(window) / WINDOW for window in rolling(values))
        """,
        kept="deque islice WINDOW rolling",
        left_out="window tee",
    ),
    case(
        "a loop adds columns of the past",
        """
        import pandas as pd
        frame = pd.DataFrame({"y": range(30)})
        for lag in (1, 7):
            frame[f"lag_{lag}"] = frame["y"].shift(lag)
        """,
        """
        @env.task
        def train(rows: int) -> int:
            return len(frame.head(rows)) + lag
        """,
        refused="frame lag",
    ),
    case(
        "parameters of a simulation depend on each other",
        """
        params = {"beta": 0.3, "days": 10}
        params["gamma"] = params["beta"] / 3
        params |= {"people": 1_000}
        """,
        """
        params.setdefault("dead", 0)
        del params["days"]
        params
        """,
        """
        @env.task
        def train(infected: float) -> float:
            return infected * params["beta"] - params["gamma"] * params["people"] + params["dead"]
        """,
        kept="params",
    ),
    case(
        "a random walk is a generator with a drift",
        """
        import random
        DRIFT = 0.1
        def noise(seed):
            source = random.Random(seed)
            while True:
                yield source.gauss(0, 1)
        def walk(steps, *, drift=DRIFT, seed=0):
            position = 0.0
            for _, step in zip(range(steps), noise(seed)):
                position += step + drift
                yield position
        """,
        """
        path = [*walk(5)]
        assert len(path) == 5, path
        """,
        """
        @env.task
        def train(steps: int) -> float:
            *_, last = walk(steps, seed=steps)
            return last
        """,
        kept="random DRIFT noise walk",
        left_out="path",
    ),
    case(
        "numbers that were drawn in a cell, and a generator that was begun",
        """
        import random
        random.seed(1)
        draws = [random.random() for _ in range(3)]
        def walk(steps):
            yield from range(steps)
        steps = walk(3)
        """,
        """
        @env.task
        def train(count: int) -> float:
            return sum(draws) + next(steps) + count
        """,
        refused="draws steps",
    ),
    case(
        "the state of a simulation advances in a loop of a cell",
        """
        state = {"step": 0, "value": 1.0}
        while state["step"] < 3:
            state["step"] += 1
            state["value"] *= 1.1
        """,
        """
        def advance(by):
            return state["value"] * by
        @env.task
        def train(by: float) -> float:
            return advance(by)
        """,
        refused="state",
    ),
    case(
        "a threshold is a quantile of what was seen",
        """
        import numpy as np
        threshold = np.quantile([1, 2, 3], 0.9)
        """,
        """
        @env.task
        def train(values: list[float]) -> int:
            def unusual(value, limit=threshold):
                return value > limit
            return sum(unusual(value) for value in values)
        """,
        refused="threshold",
    ),
    case(
        "events of a simulation are dataclasses that a match statement tells apart",
        """
        from dataclasses import dataclass
        @dataclass(frozen=True, order=True)
        class Event:
            at: float
        @dataclass(frozen=True, order=True)
        class Arrival(Event):
            people: int = 1
        @dataclass(frozen=True, order=True)
        class Departure(Event):
            pass
        START = Arrival(at=0.0, people=2)
        people = 0
        """,
        """
        def after(people, event):
            match event:
                case Arrival(people=arrived):
                    return people + arrived
                case Departure():
                    return people - 1
                case other:
                    raise TypeError(other)
        """,
        """
        @env.task
        def train(rounds: int) -> int:
            people = after(0, START)
            for at in range(rounds):
                people = after(people, Departure(at))
            return people
        """,
        kept="Event Arrival Departure START after dataclass",
        left_out="people",
    ),
)
SOURCES = (
    case(
        "a query, its tables and a context manager that connects",
        '''
        import sqlite3
        from contextlib import closing, contextmanager
        TABLES = ("users", "orders")
        QUERY = """
            select count(*)
            from {table}
            where age > :age
        """
        @contextmanager
        def connection(path=":memory:"):
            with closing(sqlite3.connect(path)) as db:
                db.row_factory = sqlite3.Row
                yield db
        ''',
        """
        with connection() as db:
            rows = db.execute("select 1").fetchall()
        """,
        """
        @env.task
        def train(age: int) -> int:
            with connection() as db:
                for table in TABLES:
                    db.execute(f"create table {table} (age int)")
                rows = [db.execute(QUERY.format(table=table), {"age": age}).fetchone() for table in TABLES]
            return len(rows)
        """,
        kept="sqlite3 closing contextmanager TABLES QUERY connection",
        left_out="db rows",
    ),
    case(
        "a connection and a cursor of the notebook",
        """
        import sqlite3
        engine = sqlite3.connect(":memory:")
        cursor = engine.cursor()
        def fetch(query, *values):
            return cursor.execute(query, values).fetchall()
        """,
        """
        @env.task
        def train(limit: int) -> int:
            with engine:
                return len(fetch("select ?", limit))
        """,
        refused="engine cursor",
    ),
    case(
        "rows that were fetched in a try statement",
        """
        import sqlite3
        db = sqlite3.connect(":memory:")
        try:
            rows = db.execute("select 1").fetchall()
        finally:
            db.close()
        """,
        """
        @env.task
        def train(limit: int) -> int:
            return len(rows[:limit])
        """,
        refused="rows",
    ),
    case(
        "steps of a load are a list of functions",
        """
        import csv, io, json
        def extract(text):
            return list(csv.DictReader(io.StringIO(text)))
        def transform(rows):
            return [{key: float(value) for key, value in row.items()} for row in rows]
        def load(rows):
            return json.dumps(rows)
        def archive(text):
            return text.encode()
        """,
        """
        STEPS = [extract, transform]
        STEPS.append(load)
        STEPS.insert(0, str.strip)
        """,
        """
        @env.task
        def train(text: str) -> str:
            for step in STEPS:
                text = step(text)
            return text
        """,
        kept="csv io json extract transform load STEPS",
        left_out="archive",
    ),
    case(
        "steps of a load are registered in a loop",
        """
        def extract(text):
            return text.split()
        def load(rows):
            return " ".join(rows)
        STEPS = []
        for step in (extract, load):
            STEPS.append(step)
        """,
        """
        @env.task
        def train(text: str) -> str:
            for step in STEPS:
                text = step(text)
            return text
        """,
        refused="STEPS",
    ),
    case(
        "a helper is the result of a function that retries",
        """
        def retry(function, times=3):
            def again(*arguments):
                for _ in range(times):
                    try:
                        return function(*arguments)
                    except OSError as problem:
                        last = problem
                raise last
            return again
        def download(url):
            return url.upper()
        fetch = retry(download)
        """,
        """
        @env.task
        def train(url: str) -> str:
            return fetch(url)
        """,
        refused="fetch",
    ),
    case(
        "a decorator is a class with state and a constant argument",
        """
        import functools, time
        class Retry:
            def __init__(self, times, wait=0.0):
                self.times, self.wait = times, wait
            def __call__(self, function):
                @functools.wraps(function)
                def again(*arguments, **options):
                    for attempt in range(self.times):
                        try:
                            return function(*arguments, **options)
                        except OSError:
                            time.sleep(self.wait)
                    raise RuntimeError(function.__name__)
                return again
        TIMES = 3
        """,
        """
        @Retry(times=TIMES)
        def fetch(url):
            return url.upper()
        fetch("a")
        """,
        """
        @env.task
        def train(url: str) -> str:
            return fetch(url)
        """,
        kept="functools time Retry TIMES fetch",
    ),
    case(
        "a decorator is a class with an argument from the machine",
        """
        import os
        class Retry:
            def __init__(self, times):
                self.times = times
            def __call__(self, function):
                return function
        limit = len(os.listdir("."))
        @Retry(times=limit)
        def fetch(url):
            return url.upper()
        """,
        """
        @env.task
        def train(url: str) -> str:
            return fetch(url)
        """,
        refused="limit",
    ),
    case(
        "requests with an address and headers that are constants",
        """
        import requests
        from urllib.parse import urljoin
        VERSION = "1.2"
        BASE = "https://example.org/api/"
        HEADERS = {"User-Agent": f"science/{VERSION}", "Accept": "application/json"}
        TIMEOUT = (3, 10)
        class ServiceError(RuntimeError):
            pass
        def get(path, **params):
            answer = requests.get(urljoin(BASE, path), params=params, headers=HEADERS, timeout=TIMEOUT)
            if answer.status_code != 200:
                raise ServiceError(answer.text)
            return answer.json()
        """,
        """
        @env.task
        def train(path: str) -> int:
            try:
                return len(get(path))
            except (ServiceError, requests.RequestException) as problem:
                return len(str(problem))
        """,
        kept="requests urljoin VERSION BASE HEADERS TIMEOUT ServiceError get",
    ),
    case(
        "requests with a session and a token of the machine",
        """
        import os
        import requests
        TOKEN = os.environ.get("SERVICE_TOKEN", "")
        HEADERS = {"Authorization": f"Bearer {TOKEN}"}
        session = requests.Session()
        session.headers.update(HEADERS)
        """,
        """
        def get(path):
            return session.get("https://example.org" + path, headers=HEADERS).json()
        @env.task
        def train(path: str) -> int:
            return len(get(path))
        """,
        refused="session HEADERS",
    ),
    case(
        "pages are fetched at the same time in the task",
        """
        import asyncio
        import httpx
        LIMIT = 5
        URLS = [f"https://example.org/{page}" for page in range(3)]
        async def fetch(client, url, gate):
            async with gate:
                answer = await client.get(url)
            return answer.text
        async def pages(client, urls=tuple(URLS)):
            gate = asyncio.Semaphore(LIMIT)
            for done in asyncio.as_completed([fetch(client, url, gate) for url in urls]):
                yield await done
        """,
        """
        @env.task
        async def train() -> int:
            async with httpx.AsyncClient() as client:
                return sum([len(page) async for page in pages(client)])
        """,
        kept="asyncio httpx LIMIT URLS fetch pages",
    ),
    case(
        "pages were fetched at the same time in a cell",
        """
        import asyncio
        import httpx
        client = httpx.AsyncClient()
        async def fetch(url):
            await asyncio.sleep(0)
            return url
        pages = await asyncio.gather(*(fetch(str(page)) for page in range(3)))
        first, *others = pages
        """,
        """
        @env.task
        async def train(url: str) -> int:
            return len(pages) + len(first) + (await client.get(url)).status_code
        """,
        refused="client pages first",
    ),
    case(
        "places are named tuples and distances are computed",
        """
        from collections import namedtuple
        from math import asin, cos, pi, radians, sin, sqrt
        EARTH = 6371.0
        AROUND = 2 * pi * EARTH
        Point = namedtuple("Point", "lat lon")
        CITIES = {"berlin": Point(52.52, 13.40), "paris": Point(lat=48.86, lon=2.35)}
        def distance(start, end):
            lat, lon = radians(end.lat - start.lat), radians(end.lon - start.lon)
            arc = sin(lat / 2) ** 2 + cos(radians(start.lat)) * cos(radians(end.lat)) * sin(lon / 2) ** 2
            return 2 * EARTH * asin(sqrt(arc))
        """,
        """
        @env.task
        def train(lat: float, lon: float) -> float:
            here = Point(lat, lon)
            return min(distance(here, city) for city in CITIES.values()) / AROUND
        """,
        kept="namedtuple asin cos pi radians sin sqrt EARTH AROUND Point CITIES distance",
    ),
    case(
        "the bounds and the centre of places in a file",
        """
        import json
        points = json.loads("[[1, 2], [3, 4]]")
        lats, lons = zip(*points)
        bounds = (min(lats), min(lons), max(lats), max(lons))
        centre = [sum(lats) / len(lats), sum(lons) / len(lons)]
        """,
        """
        def inside(lat, lon):
            return bounds[0] <= lat <= bounds[2] and bounds[1] <= lon <= bounds[3]
        @env.task
        def train(lat: float) -> float:
            return lat - centre[0] if inside(lat, lons[0]) else 0.0
        """,
        refused="bounds centre lons",
    ),
    case(
        "a grid of places is a class that iterates and contains",
        """
        from typing import NamedTuple, Iterator
        class Cell(NamedTuple):
            row: int
            column: int
            def moved(self, by):
                return self._replace(row=self.row + by)
        class Grid:
            size = 4
            def __iter__(self) -> Iterator["Cell"]:
                return (Cell(row, column) for row in range(self.size) for column in range(self.size))
            def __contains__(self, cell: Cell) -> bool:
                return cell in list(self)
        ORIGIN = Cell(0, column=0)
        """,
        """
        @env.task
        def train(by: int) -> int:
            grid = Grid()
            return sum(cell.moved(by) in grid for cell in grid) + ORIGIN.row
        """,
        kept="NamedTuple Iterator Cell Grid ORIGIN",
    ),
)
TOOLING = (
    case(
        "settings are models of pydantic inside each other",
        """
        from pydantic import BaseModel, Field, field_validator
        ALLOWED = {"adam", "sgd"}
        class Optimizer(BaseModel):
            name: str = "adam"
            rate: float = Field(default=1e-3, gt=0)
            @field_validator("name")
            @classmethod
            def known(cls, value):
                if value not in ALLOWED:
                    raise ValueError(value)
                return value
        class Settings(BaseModel):
            optimizer: Optimizer = Field(default_factory=Optimizer)
            epochs: int = 3
        SETTINGS = Settings(optimizer=Optimizer(name="sgd"), epochs=5)
        """,
        """
        @env.task
        def train(rows: int) -> float:
            return rows * SETTINGS.epochs * SETTINGS.optimizer.rate
        """,
        kept="BaseModel Field field_validator ALLOWED Optimizer Settings SETTINGS",
    ),
    case(
        "settings are read from a text in YAML and one in INI",
        """
        import configparser
        import yaml
        config = yaml.safe_load("rate: 0.1")
        parser = configparser.ConfigParser()
        parser.read_string("[train]\\nepochs = 3")
        EPOCHS = parser.getint("train", "epochs")
        """,
        """
        @env.task
        def train(rows: int) -> float:
            rate = (lambda name: config[name])("rate")
            return rows * rate * EPOCHS
        """,
        refused="config EPOCHS",
    ),
    case(
        "options with types that name their values",
        """
        from typing import Final, Literal, TypedDict
        Mode = Literal["fast", "slow"]
        class Options(TypedDict, total=False):
            mode: Mode
            rows: int
        MODE: Final[Mode] = "fast"
        OPTIONS: Options = {"mode": MODE, "rows": 3}
        """,
        """
        def chosen(options: Options | None = None) -> "Options":
            return {**OPTIONS, **(options or {})}
        @env.task
        def train(rows: int) -> int:
            return chosen({"rows": rows})["rows"]
        """,
        kept="Final Literal TypedDict Mode Options MODE OPTIONS chosen",
    ),
    case(
        "shares of the rows by members of an enumeration",
        """
        from enum import Enum, auto
        class Split(str, Enum):
            TRAIN = "train"
            TEST = "test"
            @property
            def share(self):
                return SHARES[self]
        class Stage(Enum):
            RAW = auto()
            CLEAN = auto()
        SHARES: dict[Split, float] = {Split.TRAIN: 0.8, Split.TEST: 0.2}
        NAMES = [split.value for split in Split]
        """,
        """
        @env.task
        def train(rows: int, split: str = "train") -> float:
            return rows * Split(split).share * len(NAMES)
        """,
        kept="Enum Split SHARES NAMES",
        left_out="Stage",
    ),
    case(
        "a helper keeps what it computed in a dictionary, and a cell called it",
        """
        CACHE = {}
        HITS = 0
        def expensive(key):
            global HITS
            if key in CACHE:
                HITS += 1
            else:
                CACHE[key] = key * 2
            return CACHE[key]
        print(expensive(3), expensive(3), HITS)
        """,
        """
        @env.task
        def train(key: int) -> int:
            return expensive(key) + expensive(key) + HITS
        """,
        kept="CACHE HITS expensive",
    ),
    case(
        "a helper is cached in a folder that a cell opened",
        """
        from joblib import Memory
        memory = Memory(location=None, verbose=0)
        @memory.cache
        def expensive(key):
            return key * 2
        """,
        """
        @env.task
        def train(key: int) -> int:
            return expensive(key)
        """,
        refused="memory",
    ),
    case(
        "helpers are cached by decorators with constants",
        """
        from functools import cache, lru_cache, wraps
        SIZE = 2**10
        @lru_cache(maxsize=SIZE)
        def fibonacci(number):
            return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)
        def logged(function):
            @wraps(function)
            def call(*arguments):
                print(function.__name__, arguments)
                return function(*arguments)
            return call
        @logged
        @cache
        def double(number):
            return 2 * number
        fibonacci(10)
        """,
        """
        @env.task
        def train(number: int) -> int:
            return double(fibonacci(number))
        """,
        kept="cache lru_cache wraps SIZE fibonacci logged double",
    ),
    case(
        "a cached helper is made from another by a call",
        """
        from functools import lru_cache
        def slow(number):
            return number + 1
        cached = lru_cache(maxsize=None)(slow)
        """,
        """
        @env.task
        def train(number: int) -> int:
            return cached(number) + slow(number)
        """,
        refused="cached",
    ),
    case(
        "a logger with a level, and a context manager that measures time",
        """
        import logging
        import time
        logging.basicConfig(level=logging.INFO)
        logger = logging.getLogger(__name__)
        logger.setLevel(logging.DEBUG)
        class Timer:
            def __init__(self, label):
                self.label = label
            def __enter__(self):
                self.started = time.perf_counter()
                return self
            def __exit__(self, *problem):
                logger.info("%s took %.1f s", self.label, time.perf_counter() - self.started)
        with Timer("nothing") as timer:
            pass
        """,
        """
        @env.task
        def train(rows: int) -> int:
            with Timer("training") as timer:
                logger.debug("%d rows", rows)
            return len(timer.label)
        """,
        kept="logging time logger Timer",
        left_out="timer",
    ),
    case(
        "a handler of a logger, and the time when the notebook began",
        """
        import logging
        import time
        started = time.perf_counter()
        handler = logging.StreamHandler()
        """,
        """
        def report(text):
            handler.stream.write(f"{time.perf_counter() - started:.1f}: {text}")
        @env.task
        def train(rows: int) -> int:
            report(f"{rows} rows")
            return rows
        """,
        refused="handler started",
    ),
    case(
        "colours are constants and figures are drawn in cells",
        """
        from contextlib import suppress
        PALETTE = {"train": "#1f77b4"}
        PALETTE.update(test="#ff7f0e")
        FIGSIZE = (6, 4)
        SHORT = {name[:2]: colour for name, colour in PALETTE.items()}
        class Axes:
            def __init__(self):
                self.lines = []
            def plot(self, values, color=PALETTE["train"], **options):
                self.lines.append((list(values), color, options))
                return self
        def subplots(figsize=FIGSIZE):
            return figsize, Axes()
        """,
        """
        fig, ax = subplots()
        ax.plot([1, 2], label="loss")
        """,
        """
        @env.task
        def train(values: list[float]) -> int:
            fig, ax = subplots()
            ax.plot(values, color=SHORT["te"])
            return len(ax.lines)
        """,
        kept="PALETTE FIGSIZE SHORT Axes subplots",
        left_out="fig ax suppress",
    ),
    case(
        "the task draws on a figure of the notebook",
        """
        from types import SimpleNamespace
        def subplots():
            return SimpleNamespace(canvas=None), SimpleNamespace(lines=[])
        fig, ax = subplots()
        """,
        """
        def draw(values):
            ax.lines.extend(values)
        @env.task
        def train(values: list[float]) -> str:
            draw(values)
            return str(fig)
        """,
        refused="fig ax",
    ),
    case(
        "a slider of the notebook and what it is set to",
        """
        import ipywidgets as widgets
        slider = widgets.IntSlider(value=3, min=1, max=9)
        depth = slider.value
        """,
        """
        @env.task
        def train(rows: int) -> int:
            return rows * depth + slider.max
        """,
        refused="slider depth",
    ),
    case(
        "a cell that is timed defines a helper",
        """
        import math
        """,
        """
        %%time
        def area(radius):
            return math.pi * radius**2
        area(2)
        """,
        """
        @env.task
        def train(radius: float) -> float:
            return area(radius)
        """,
        kept="area math",
    ),
    case(
        "a cell that is timed reads a table",
        """
        %%time
        import io
        import pandas as pd
        frame = pd.read_csv(io.StringIO("a,b"))
        """,
        """
        @env.task
        def train(rows: int) -> int:
            return rows + len(frame)
        """,
        refused="frame",
    ),
    case(
        "abstract bases, mixins and methods of their own class",
        """
        from abc import ABC, abstractmethod
        from functools import cached_property
        DEFAULT = "none"
        class Named:
            label = DEFAULT
            def __repr__(self):
                return f"{type(self).__name__}({self.label})"
        class Model(ABC):
            @abstractmethod
            def predict(self, value: float) -> float: ...
            @classmethod
            def create(cls, *arguments):
                return cls(*arguments)
        """,
        """
        class Mean(Named, Model):
            def __init__(self, values):
                self.values = values
            @cached_property
            def mean(self):
                return sum(self.values) / len(self.values)
            def predict(self, value):
                return self.mean
        model = Mean.create([1, 2])
        model
        """,
        """
        @env.task
        def train(values: list[float]) -> float:
            return Mean.create(values).predict(0.0)
        """,
        kept="ABC abstractmethod cached_property DEFAULT Named Model Mean",
        left_out="model",
    ),
    case(
        "a class attribute is the folder of the notebook",
        """
        from pathlib import Path
        ROOT = Path.cwd()
        class Loader:
            root = ROOT
            def path(self, name):
                return self.root / name
        """,
        """
        @env.task
        def train(name: str) -> str:
            return str(Loader().path(name))
        """,
        refused="ROOT",
    ),
    case(
        "subclasses register themselves, and the task names the one it uses",
        """
        class Model:
            kinds = {}
            def __init_subclass__(cls, /, kind, **options):
                super().__init_subclass__(**options)
                Model.kinds[kind] = cls
        KIND = "linear"
        """,
        """
        class Linear(Model, kind=KIND):
            def predict(self, value):
                return 2 * value
        """,
        """
        @env.task
        def train(value: float) -> float:
            assert issubclass(Linear, Model)
            return Model.kinds[KIND]().predict(value)
        """,
        kept="Model KIND Linear",
    ),
    case(
        "a run is counted by an object of the notebook",
        """
        class Tracker:
            def __init__(self):
                self.metrics = {}
            def log(self, **metrics):
                self.metrics.update(metrics)
        tracker = Tracker()
        def log(**metrics):
            tracker.log(**metrics)
        """,
        """
        @env.task
        def train(loss: float) -> float:
            log(loss=loss)
            return loss
        """,
        refused="tracker",
    ),
)

CASES = TABLES + NETWORKS + TEXTS + SERIES + SOURCES + TOOLING
