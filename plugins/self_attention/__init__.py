"""Self-attention: the same function computed in several ways, measured."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl

SEED = Param("seed", 0, min=0, help="seed of the random queries, keys and values")
THREADS = Param("threads", 1, min=1, max=256, help="CPU threads; the kernels' scratch memory grows with them")


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "attention",
            run="attention:main",
            topic="self-attention",
            summary="Naive, compiled, tiled and fused attention: error, memory, time and roofline over sequence length",
            devices=("cpu", "cuda"),
            params=(
                Param("n", "auto", help="sequence lengths, comma-separated (auto: to 2048 on the CPU, 16384 on CUDA)"),
                Param("heads", 0, min=0, max=256, help="heads (0: 1 on the CPU, 16 on CUDA)"),
                Param("dim", 64, min=8, max=256, help="width of one head"),
                Param(
                    "dtype", "auto", choices=("auto", "float32", "bfloat16", "float16"), help="auto: bfloat16 on CUDA"
                ),
                Param(
                    "variants",
                    "auto",
                    help="comma-separated: naive, compiled, tiled, sdpa, sdpa-flash, -efficient, -cudnn, -math, flex",
                ),
                Param("causal", False, help="mask the future; the naive spelling uses masked_fill"),
                Param("backward", True, help="measure the gradients too"),
                Param("flex", False, help="add compiled FlexAttention on the CPU (10 to 30 s of compiling)"),
                Param("repeats", 2, min=1, max=1000, help="timed calls of each"),
                THREADS,
                SEED,
            ),
        )
    )
    register(
        Demo(
            "attention-compile",
            run="spellings:main",
            topic="self-attention",
            summary="Which spellings of attention torch.compile turns into the fused kernel, read from its code",
            devices=("cpu",),
            params=(
                Param("n", 512, min=128, max=4096, help="sequence length"),
                Param("heads", 4, min=1, max=64),
                Param("dim", 64, min=8, max=256, help="width of one head"),
                SEED,
            ),
        )
    )
    register(
        Demo(
            "attention-scaling",
            run="scaling:main",
            topic="self-attention",
            summary="Why scores are divided by √d_k: variance, entropy and gradient of the softmax with and without it",
            params=(
                Param("keys", 64, min=2, max=256, help="keys that one query attends to"),
                Param("pairs", 20000, min=1000, max=1000000, help="independent query-key pairs for the variance"),
                SEED,
            ),
        )
    )
