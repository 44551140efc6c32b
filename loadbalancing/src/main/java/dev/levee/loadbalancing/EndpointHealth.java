package dev.levee.loadbalancing;

import dev.levee.core.internal.Nanos;

/**
 * The health of one endpoint: all of its state, and every way in which it changes. Immutable: each event gives the next state. Whether
 * an endpoint may be ejected at all is decided elsewhere. The states, as a picture, are in docs/balancing/health.md.
 *
 * <p>Three things are independent of each other: what checks say, whether calls have led to an ejection, and whether it drains. It is
 * usable if none of them is against it; when it becomes usable again its slow start begins.
 */
final class EndpointHealth {
    private enum Checked {
        UNKNOWN,
        PASSING,
        FAILING
    }

    /**
     * What is configured.
     *
     * @param healthyAfter checks that must pass in a row
     * @param unhealthyAfter checks that must fail in a row
     * @param mustBeChecked whether an endpoint is unusable until its first check has passed
     * @param ejectNanos how long the first ejection is
     * @param mostEjectNanos how long an ejection is at most
     * @param slowStart how the share grows
     */
    record Rules(
            int healthyAfter,
            int unhealthyAfter,
            boolean mustBeChecked,
            long ejectNanos,
            long mostEjectNanos,
            SlowStart slowStart) {}

    private final Rules rules;
    private Checked checked = Checked.UNKNOWN;
    private int contrary; // checks in a row that said otherwise
    private String checkSays = "";
    private boolean ejected;
    private long until; // while ejected
    private String callsSay = "";
    private int multiplier; // ejections less calm intervals: the next one is so many times longer
    private boolean calm; // not ejected since the last interval ended
    private long ejections;
    private boolean draining;
    private boolean fresh; // one of the first endpoints of a balancer, until it is usable: it needs no slow start
    private boolean warming;
    private long since; // while warming

    private EndpointHealth(Rules rules) {
        this.rules = rules;
    }

    /** To be changed before anybody sees it. */
    private EndpointHealth copy() {
        EndpointHealth copy = new EndpointHealth(rules);
        copy.checked = checked;
        copy.contrary = contrary;
        copy.checkSays = checkSays;
        copy.ejected = ejected;
        copy.until = until;
        copy.callsSay = callsSay;
        copy.multiplier = multiplier;
        copy.calm = calm;
        copy.ejections = ejections;
        copy.draining = draining;
        copy.fresh = fresh;
        copy.warming = warming;
        copy.since = since;
        return copy;
    }

    /** An endpoint that joins: one of the first of its balancer, or a later one. */
    static EndpointHealth joined(Rules rules, boolean first, long nowNanos) {
        EndpointHealth health = new EndpointHealth(rules);
        health.fresh = first && !health.isUsable();
        if (rules.mustBeChecked) {
            health.checkSays = "not checked yet";
        }
        if (!first && health.isUsable()) {
            health.startSlowly(nowNanos);
        }
        return health;
    }

    HealthState state() {
        if (draining) {
            return HealthState.DRAINING;
        }
        if (isFailing()) {
            return HealthState.UNHEALTHY;
        }
        if (ejected) {
            return HealthState.EJECTED;
        }
        return warming ? HealthState.WARMING : HealthState.HEALTHY;
    }

    private boolean isFailing() {
        return checked == Checked.FAILING || (checked == Checked.UNKNOWN && rules.mustBeChecked);
    }

    /** Whether nothing speaks against it. */
    boolean isUsable() {
        return !draining && !ejected && !isFailing();
    }

    boolean isEjected() {
        return ejected;
    }

    boolean isDraining() {
        return draining;
    }

    /** How often it has been ejected. */
    long ejections() {
        return ejections;
    }

    /** Why it is left out, in words; empty if it is not. */
    String why() {
        return switch (state()) {
            case UNHEALTHY -> checkSays;
            case EJECTED -> callsSay;
            default -> "";
        };
    }

    /** The part of its weight that it has, in steps. */
    double ramp(long nowNanos) {
        return warming ? rules.slowStart.share(nowNanos - since) : 1.0;
    }

    /** How long until time alone changes it; {@link Nanos#NEVER} if never. */
    long nanosUntilChange(long nowNanos) {
        long wait = Nanos.NEVER;
        if (ejected) {
            wait = until - nowNanos;
        }
        if (warming) {
            wait = Math.min(wait, rules.slowStart.nanosToNextStep(nowNanos - since));
        }
        return Math.max(0L, wait);
    }

    // ---- events

    /** A check has passed. */
    EndpointHealth checkPassed(long nowNanos) {
        if (checked == Checked.PASSING && contrary == 0) {
            return this;
        }
        EndpointHealth next = copy();
        next.contrary = 0;
        // The first check of all decides alone: somebody waits for the endpoint.
        if (checked == Checked.FAILING && contrary + 1 < rules.healthyAfter) {
            next.contrary = contrary + 1;
        } else {
            next.checked = Checked.PASSING;
        }
        return next.after(this, nowNanos);
    }

    /** A check has failed. */
    EndpointHealth checkFailed(String reason, long nowNanos) {
        EndpointHealth next = copy();
        next.checkSays = reason;
        next.contrary = 0;
        if (checked != Checked.FAILING) {
            if (contrary + 1 < rules.unhealthyAfter) {
                next.contrary = contrary + 1;
            } else {
                next.checked = Checked.FAILING;
            }
        }
        return next.after(this, nowNanos);
    }

    /** Calls have condemned it; nothing happens if it is ejected already. */
    EndpointHealth eject(String reason, long nowNanos) {
        if (ejected) {
            return this;
        }
        long most = Math.max(rules.ejectNanos, rules.mostEjectNanos);
        long time = Math.min(Nanos.multiply(rules.ejectNanos, multiplier + 1.0), most);
        EndpointHealth next = copy();
        next.ejected = true;
        next.until = nowNanos + time;
        next.callsSay = reason;
        next.ejections = ejections + 1;
        next.calm = false;
        if (time < most) { // what the longest ejection does not need would only make the way back longer
            next.multiplier = multiplier + 1;
        }
        return next.after(this, nowNanos);
    }

    /** Time has passed: an ejection or a slow start may be over. */
    EndpointHealth at(long nowNanos) {
        if (ejected && nowNanos - until >= 0) {
            EndpointHealth next = copy();
            next.ejected = false;
            return next.after(this, nowNanos);
        }
        if (warming && rules.slowStart.isOver(nowNanos - since)) {
            EndpointHealth next = copy();
            next.warming = false;
            return next;
        }
        return this;
    }

    /** An interval is over: one in which it never was ejected makes the next ejection shorter. */
    EndpointHealth intervalEnded() {
        if (ejected || (calm && multiplier == 0)) {
            return this;
        }
        EndpointHealth next = copy();
        next.multiplier = calm ? multiplier - 1 : multiplier;
        next.calm = true;
        return next;
    }

    /** From now on it gets no new calls, or does again. */
    EndpointHealth drain(boolean drained, long nowNanos) {
        if (drained == draining) {
            return this;
        }
        EndpointHealth next = copy();
        next.draining = drained;
        return next.after(this, nowNanos);
    }

    /** The slow start begins or breaks off with this change. */
    private EndpointHealth after(EndpointHealth before, long nowNanos) {
        if (!isUsable()) {
            warming = false;
        } else if (!before.isUsable()) {
            if (!fresh) {
                startSlowly(nowNanos);
            }
            fresh = false;
        }
        return this;
    }

    private void startSlowly(long nowNanos) {
        warming = rules.slowStart.windowNanos() > 0;
        since = nowNanos;
    }

    @Override
    public String toString() {
        String why = why();
        return why.isEmpty() ? state().toString() : state() + " (" + why + ")";
    }
}
