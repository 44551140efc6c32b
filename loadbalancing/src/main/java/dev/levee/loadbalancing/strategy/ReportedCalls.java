package dev.levee.loadbalancing.strategy;

/**
 * The calls in flight as the candidates report them. Nothing is reserved, so calls that come at once may exceed a
 * bound.
 */
final class ReportedCalls implements CallCounts {
    private final Candidates candidates;

    ReportedCalls(Candidates candidates) {
        this.candidates = candidates;
    }

    @Override
    public long calls() {
        long calls = 0;
        for (int i = 0; i < candidates.size(); i++) {
            calls += candidates.inFlight(i);
        }
        return calls;
    }

    @Override
    public long calls(int index) {
        return candidates.inFlight(index);
    }

    @Override
    public void admitOneMore(int index) {}
}
