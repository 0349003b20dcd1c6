"""Notebooks as data scientists write them."""

from __future__ import annotations

from .case import case

__all__ = ["CASES"]

CASES = (
    case(
        "the task cleans a frame that it is given",
        """
        get_ipython().system('echo pip install pandas')
        import numpy as np
        import pandas as pd
        pd.set_option("display.max_rows", 20)
        """,
        """
        frame = pd.DataFrame({"price": [1.0, np.nan, 3.0], "amount": [1, 2, 3]})
        frame.head()
        """,
        """
        NUMERIC = ["price", "amount"]
        def clean(frame: pd.DataFrame) -> pd.DataFrame:
            for column in NUMERIC:
                frame[column] = frame[column].fillna(frame[column].median())
            return frame.assign(total=lambda rows: rows["price"] * rows["amount"])
        clean(frame.copy()).describe()
        """,
        """
        @env.task
        async def train(path: str) -> float:
            frame = clean(pd.read_csv(path))
            return float(frame["total"].sum())
        """,
        kept="pd NUMERIC clean",
        left_out="frame np",
    ),
    case(
        "the task uses the frame that a cell read",
        """
        import pandas as pd
        from io import StringIO
        frame = pd.read_csv(StringIO("price,amount\\n1,2\\n3,4"))
        """,
        """
        def features(columns):
            return frame[columns].mean()
        """,
        """
        @env.task
        async def train() -> float:
            return float(features(["price"]).iloc[0])
        """,
        refused="frame",
    ),
    case(
        "columns and statistics taken from a frame",
        """
        import pandas as pd
        frame = pd.DataFrame({"price": [1.0, 2.0], "amount": [1, 2]})
        columns = list(frame.columns)
        mean, deviation = frame["price"].mean(), frame["price"].std()
        """,
        """
        @env.task
        async def train(rows: list[dict[str, float]]) -> list[float]:
            frame = pd.DataFrame(rows)[columns]
            return ((frame["price"] - mean) / deviation).tolist()
        """,
        refused="columns mean deviation",
        kept="pd",
    ),
    case(
        "arrays made from constants are results of a library",
        """
        import numpy as np
        rng = np.random.default_rng(0)
        WEIGHTS = np.array([0.2, 0.8])
        """,
        """
        @env.task
        async def train(values: list[float]) -> float:
            return float(np.asarray(values) @ WEIGHTS + rng.normal())
        """,
        refused="rng WEIGHTS",
        kept="np",
    ),
    case(
        "the model is fitted inside the task",
        """
        import numpy as np
        from sklearn.linear_model import LinearRegression, Ridge
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        ALPHA = 1e-3
        """,
        """
        def build(alpha=ALPHA):
            return make_pipeline(StandardScaler(), Ridge(alpha=alpha))
        model = build().fit(np.eye(3), [1, 2, 3])
        print(model.score(np.eye(3), [1, 2, 3]))
        """,
        """
        @env.task
        async def train(values: list[list[float]], targets: list[float]) -> float:
            model = build().fit(values, targets)
            return model.score(values, targets)
        """,
        kept="Ridge make_pipeline StandardScaler ALPHA build",
        left_out="LinearRegression model np",
    ),
    case(
        "the model was fitted in a cell",
        """
        import numpy as np
        from sklearn.linear_model import Ridge
        from sklearn.model_selection import train_test_split
        X_train, X_test, y_train, y_test = train_test_split(np.eye(8), np.arange(8), random_state=0)
        model = Ridge().fit(X_train, y_train)
        """,
        """
        @env.task
        async def train() -> float:
            return float(model.score(X_test, y_test))
        """,
        refused="model X_test y_test",
    ),
    case(
        "the device was found on this machine",
        """
        try:
            import torch
        except ImportError:
            torch = None
        DEVICE = "cuda" if torch is not None and torch.cuda.is_available() else "cpu"
        """,
        """
        @env.task
        async def train(epochs: int) -> str:
            return f"{epochs} epochs on {DEVICE}"
        """,
        refused="DEVICE",
    ),
    case(
        "the device is found where the task runs",
        """
        import shutil
        DEVICES = {True: "cuda", False: "cpu"}
        def device():
            return DEVICES[shutil.which("nvidia-smi") is not None]
        print(device())
        """,
        """
        @env.task
        async def train(epochs: int) -> str:
            return f"{epochs} epochs on {device()}"
        """,
        kept="shutil DEVICES device",
    ),
    case(
        "the device is chosen by an if statement that asks this machine",
        """
        import shutil
        if shutil.which("nvidia-smi"):
            device = "cuda"
        else:
            device = "cpu"
        """,
        """
        @env.task
        async def train(epochs: int) -> str:
            return f"{epochs} epochs on {device}"
        """,
        refused="device",
    ),
    case(
        "a helper queries the connection of the notebook",
        """
        import sqlite3
        connection = sqlite3.connect(":memory:")
        connection.execute("create table orders (price real)")
        """,
        """
        QUERY = "select sum(price) from orders"
        def total():
            return connection.execute(QUERY).fetchone()[0]
        """,
        """
        @env.task
        async def train() -> float:
            return total() or 0.0
        """,
        refused="connection",
        kept="QUERY total",
    ),
    case(
        "a helper opens a connection of its own",
        """
        import sqlite3
        from contextlib import closing
        DATABASE = "file:orders?mode=memory"
        connection = sqlite3.connect(DATABASE, uri=True)
        cursor = connection.cursor()
        """,
        '''
        QUERY = """
        select count(*) from connection
        """
        def count(database=DATABASE):
            with closing(sqlite3.connect(database, uri=True)) as connection:
                cursor = connection.execute(QUERY)
                return cursor.fetchone()[0]
        ''',
        """
        @env.task
        async def train() -> int:
            return count()
        """,
        kept="sqlite3 closing DATABASE QUERY count",
        left_out="connection cursor",
    ),
    case(
        "a key of a service comes from a file of the machine",
        """
        import os
        try:
            from dotenv import load_dotenv
            load_dotenv()
        except ImportError:
            pass
        API_KEY = os.getenv("API_KEY", "none")
        HEADERS = {"Authorization": f"Bearer {API_KEY}"}
        """,
        """
        @env.task
        async def train(url: str) -> int:
            return len(url) + len(HEADERS) + len(API_KEY)
        """,
        refused="API_KEY HEADERS",
    ),
    case(
        "settings, a logger and a seed at the top of the notebook",
        """
        import logging
        import random
        from dataclasses import dataclass
        from pathlib import Path

        logging.basicConfig(level=logging.INFO)
        log = logging.getLogger("churn")
        SEED = 42
        random.seed(SEED)
        """,
        """
        @dataclass(frozen=True)
        class Settings:
            root: Path
            epochs: int = 3
            tags: tuple[str, ...] = ()

        settings = Settings(root=Path("data"), tags=("nightly", f"seed-{SEED}"))
        settings
        """,
        """
        @env.task
        async def train(rate: float) -> int:
            log.info("training with %s from %s", settings.tags, settings.root)
            generator = random.Random(SEED)
            return sum(generator.random() < rate for _ in range(settings.epochs))
        """,
        kept="logging random dataclass Path log SEED Settings settings",
    ),
    case(
        "words are counted with patterns and stop words",
        """
        import os
        import re
        from collections import Counter
        WORD = re.compile(r"[a-z']+")
        STOP = set("a an the of".split()) | {"and"}
        text = open(os.devnull).read()
        """,
        """
        def words(text: str) -> list[str]:
            return [word for word in WORD.findall(text.lower()) if word not in STOP]
        Counter(words(text)).most_common(3)
        """,
        """
        @env.task
        async def train(text: str) -> dict[str, int]:
            return dict(Counter(words(text)).most_common(10))
        """,
        kept="re Counter WORD STOP words",
        left_out="text os",
    ),
    case(
        "the best parameters of a search in the notebook",
        """
        import random
        GRID = [{"rate": rate} for rate in (0.1, 0.01)]
        def loss(rate):
            return abs(rate - 0.05) + random.random()
        losses = {}
        for parameters in GRID:
            losses[parameters["rate"]] = loss(**parameters)
        best = min(losses, key=losses.get)
        """,
        """
        @env.task
        async def train(epochs: int) -> float:
            return best * epochs + loss(0.1)
        """,
        refused="best",
        kept="random loss",
        left_out="GRID losses parameters",
    ),
    case(
        "a timed cell fitted the model",
        r"""
        get_ipython().run_cell_magic('time', '', 'import random\nmodel = random.random()\n')
        """,
        """
        @env.task
        async def train(value: float) -> float:
            return value * model
        """,
        refused="model",
    ),
    case(
        "a figure is drawn beside the task",
        """
        import random
        values = [random.random() for _ in range(10)]
        BINS = 5
        def histogram(values, bins=BINS):
            counts = [0] * bins
            for value in values:
                counts[min(int(value * bins), bins - 1)] += 1
            return counts
        def draw(counts):
            for count in counts:
                print("#" * count)
        draw(histogram(values))
        """,
        """
        @env.task
        async def train(values: list[float]) -> list[int]:
            return histogram(values)
        """,
        kept="BINS histogram",
        left_out="random values draw",
    ),
    case(
        "environments of a pipeline share helpers, and each gets its own",
        """
        import flyte_nb as flyte
        base = flyte.TaskEnvironment("base", image="python:3.12-slim")
        TABLES = ["orders", "users"]
        """,
        """
        trainer = flyte.TaskEnvironment(
            name="ml-training", resources=flyte.Resources(cpu="2", memory="4Gi"), depends_on=[base]
        )
        RATE = 0.1
        """,
        """
        def checked(name):
            if name not in TABLES:
                raise ValueError(name)
            return name
        @base.task
        async def load(name: str) -> list[int]:
            return [len(checked(name))]
        """,
        """
        @trainer.task(retries=2)
        async def fit(name: str) -> float:
            return RATE * sum(await load(name))
        """,
        task="ml-training.fit",
        setup=None,
        kept="RATE",
        left_out="TABLES checked",
    ),
)
