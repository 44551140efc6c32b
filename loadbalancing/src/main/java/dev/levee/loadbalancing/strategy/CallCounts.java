package dev.levee.loadbalancing.strategy;

/** Counts the calls in flight of a set, for {@link BoundedLoadsPicker}. */
interface CallCounts {
    /** Returns the calls at all endpoints of the set. */
    long calls();

    /** Returns the calls at one endpoint. */
    long calls(int index);

    /** Admits one call more there, although the endpoint is full, if it still is when the call reserves its place. */
    void admitOneMore(int index);
}
