package dev.levee.core;

/** A gate that refuses every call. */
final class RefusingGate implements Gate {
    private final Environment environment;

    RefusingGate(Environment environment) {
        this.environment = environment;
    }

    @Override
    public int timing() {
        return 0;
    }

    @Override
    public long tryEnter(long nowNanos) {
        return REFUSED;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        throw new AssertionError("no call was admitted");
    }

    @Override
    public OutcomeRule outcomes() {
        return OutcomeRule.standard();
    }

    @Override
    public RefusedException refusal() {
        return new GateContract.Refused();
    }

    @Override
    public String name() {
        return "refusing";
    }

    @Override
    public Environment environment() {
        return environment;
    }
}
