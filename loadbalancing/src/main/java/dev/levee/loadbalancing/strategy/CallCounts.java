package dev.levee.loadbalancing.strategy;

/** Counts the calls in flight of a set, for {@link BoundedLoadsPicker}. */
interface CallCounts {
    /** Returns the calls at all endpoints of the set. */
    long calls();

    /** Returns the calls at one endpoint. */
    long calls(int index);

    /** Notes that a call was picked for an endpoint by these counts, and so must find its place by them. */
    void picked(int index);

    /** Admits one call more there, although the endpoint is full, if it still is when the call reserves its place. */
    void admitOneMore(int index);

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
        public void picked(int index) {}

        @Override
        public void admitOneMore(int index) {}
    }
}
