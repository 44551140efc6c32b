package dev.levee.loadbalancing;

import dev.levee.core.internal.Nanos;

/**
 * The health of one endpoint: all of its state, and every way in which it changes. Immutable: each event returns the
 * next state. Whether an endpoint may be ejected at all is decided by {@link Ejections}.
 *
 * <p>Three things are independent of each other: what checks found, whether calls have led to an ejection, and whether
 * the endpoint drains. It is usable if none of them speaks against it; when it becomes usable, its slow start begins.
 *
 * <pre>
 *   usable = WARMING or HEALTHY
 *
 *   joins as one of the first -----------------> HEALTHY
 *   joins later -------------------------------> WARMING   -- slow start is over ---------> HEALTHY
 *   joins, must be checked --------------------> UNHEALTHY -- the first check passed -----> HEALTHY or WARMING
 *   usable  -- eject() ------------------------> EJECTED   -- its time is over -----------> WARMING
 *   usable  -- unhealthyAfter checks failed ---> UNHEALTHY -- healthyAfter checks passed -> WARMING
 *   EJECTED -- unhealthyAfter checks failed ---> UNHEALTHY -- healthyAfter checks passed -> EJECTED, until its time
 *                                                                                           is over
 *   any     -- drain(true), the weight is 0 ---> DRAINING  -- drain(false) ---------------> what the rest says
 * </pre>
 *
 * <p>Without slow start read HEALTHY for WARMING. {@link #state} names what weighs most: draining, unhealthy, ejected,
 * warming, healthy.
 *
 * <p><b>Invariants.</b> A published object never changes: {@link #copy} is changed before it is returned. Warming
 * implies usable. An ejection ends by time alone. See ADR 46, and ADR 44 for the length of ejections.
 */
final class EndpointHealth {
    private enum Checked {
        UNKNOWN,
        PASSING,
        FAILING
    }

    /**
     * The configuration.
     *
     * @param healthyAfter how many checks must pass in a row
     * @param unhealthyAfter how many checks must fail in a row
     * @param mustBeChecked whether an endpoint is unusable until its first check has passed
     * @param ejectNanos how long the first ejection is
     * @param maxEjectNanos how long an ejection is at most
     * @param slowStart how the share grows
     */
    record Rules(
            int healthyAfter,
            int unhealthyAfter,
            boolean mustBeChecked,
            long ejectNanos,
            long maxEjectNanos,
            SlowStart slowStart) {
        static Rules of(HealthConfig<?> config) {
            return new Rules(
                    config.healthyAfter(),
                    config.unhealthyAfter(),
                    config.mustBeChecked() && config.check() != null,
                    Nanos.of(config.ejectFor()),
                    Nanos.of(config.maxEjectFor()),
                    SlowStart.of(config.slowStart(), config.slowStartAggression()));
        }
    }

    private final Rules rules;
    private Checked checked = Checked.UNKNOWN;
    /** How many of the last checks in a row contradicted {@link #checked}. */
    private int contrary;
    /** Why the last check failed. */
    private String checkFailure = "";

    private boolean ejected;
    /** When the ejection ends; meaningless unless ejected. */
    private long ejectedUntil;
    /** Why it was ejected. */
    private String ejectionReason = "";
    /** Ejections less calm intervals: the next ejection lasts one base longer for each. */
    private int multiplier;
    /** Not ejected since the last interval ended. */
    private boolean calm;

    private long ejections;
    private boolean draining;
    /** One of the first endpoints of a balancer, until it is usable: it needs no slow start. */
    private boolean fresh;

    private boolean warming;
    /** When the slow start began; meaningless unless warming. */
    private long warmingSince;

    private EndpointHealth(Rules rules) {
        this.rules = rules;
    }

    /** Returns a copy, to be changed before it is published. */
    private EndpointHealth copy() {
        EndpointHealth copy = new EndpointHealth(rules);
        copy.checked = checked;
        copy.contrary = contrary;
        copy.checkFailure = checkFailure;
        copy.ejected = ejected;
        copy.ejectedUntil = ejectedUntil;
        copy.ejectionReason = ejectionReason;
        copy.multiplier = multiplier;
        copy.calm = calm;
        copy.ejections = ejections;
        copy.draining = draining;
        copy.fresh = fresh;
        copy.warming = warming;
        copy.warmingSince = warmingSince;
        return copy;
    }

    /** Returns the health of an endpoint that joins: one of the first of its balancer, or a later one. */
    static EndpointHealth joined(Rules rules, boolean first, long nowNanos) {
        EndpointHealth health = new EndpointHealth(rules);
        health.fresh = first && !health.isUsable();
        if (rules.mustBeChecked) {
            health.checkFailure = "not checked yet";
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

    /** Whether the endpoint may get calls: it neither drains, nor is ejected, nor fails its checks. */
    boolean isUsable() {
        return !draining && !ejected && !isFailing();
    }

    boolean isEjected() {
        return ejected;
    }

    boolean isDraining() {
        return draining;
    }

    /** How often the endpoint has been ejected. */
    long ejections() {
        return ejections;
    }

    /** Why the endpoint is left out, in words; empty if it is not. */
    String why() {
        return switch (state()) {
            case UNHEALTHY -> checkFailure;
            case EJECTED -> ejectionReason;
            default -> "";
        };
    }

    /** Returns the part of its weight that the endpoint has, in steps. */
    double ramp(long nowNanos) {
        return warming ? rules.slowStart.share(nowNanos - warmingSince) : 1.0;
    }

    /** Returns how long until time alone changes this; {@link Nanos#NEVER} if it does not. */
    long nanosUntilChange(long nowNanos) {
        long wait = Nanos.NEVER;
        if (ejected) {
            wait = ejectedUntil - nowNanos;
        }
        if (warming) {
            wait = Math.min(wait, rules.slowStart.nanosToNextStep(nowNanos - warmingSince));
        }
        return Math.max(0L, wait);
    }

    // ---- events

    /** Applies a check that has passed. */
    EndpointHealth checkPassed(long nowNanos) {
        if (checked == Checked.PASSING && contrary == 0) {
            return this;
        }
        EndpointHealth next = copy();
        next.contrary = 0;
        // The first check of all decides alone: the endpoint may be needed.
        if (checked == Checked.FAILING && contrary + 1 < rules.healthyAfter) {
            next.contrary = contrary + 1;
        } else {
            next.checked = Checked.PASSING;
        }
        return next.after(this, nowNanos);
    }

    /** Applies a check that has failed. */
    EndpointHealth checkFailed(String reason, long nowNanos) {
        EndpointHealth next = copy();
        next.checkFailure = reason;
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

    /** Ejects the endpoint, which changes nothing if it is ejected already. */
    EndpointHealth eject(String reason, long nowNanos) {
        if (ejected) {
            return this;
        }
        long max = Math.max(rules.ejectNanos, rules.maxEjectNanos);
        long time = Math.min(Nanos.multiply(rules.ejectNanos, multiplier + 1.0), max);
        EndpointHealth next = copy();
        next.ejected = true;
        next.ejectedUntil = nowNanos + time;
        next.ejectionReason = reason;
        next.ejections = ejections + 1;
        next.calm = false;
        if (time < max) { // a larger multiplier would only make the way back longer
            next.multiplier = multiplier + 1;
        }
        return next.after(this, nowNanos);
    }

    /** Applies the time that has passed: an ejection or a slow start may be over. */
    EndpointHealth at(long nowNanos) {
        if (ejected && nowNanos - ejectedUntil >= 0) {
            EndpointHealth next = copy();
            next.ejected = false;
            return next.after(this, nowNanos);
        }
        if (warming && rules.slowStart.isOver(nowNanos - warmingSince)) {
            EndpointHealth next = copy();
            next.warming = false;
            return next;
        }
        return this;
    }

    /** Applies the end of an interval: one without ejection makes the next ejection shorter. */
    EndpointHealth intervalEnded() {
        if (ejected || (calm && multiplier == 0)) {
            return this;
        }
        EndpointHealth next = copy();
        next.multiplier = calm ? multiplier - 1 : multiplier;
        next.calm = true;
        return next;
    }

    /** Applies the weight: an endpoint whose weight is 0 drains. */
    EndpointHealth drain(boolean drained, long nowNanos) {
        if (drained == draining) {
            return this;
        }
        EndpointHealth next = copy();
        next.draining = drained;
        return next.after(this, nowNanos);
    }

    /** Begins or ends the slow start, if this change has made the endpoint usable or unusable. */
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
        warmingSince = nowNanos;
    }

    @Override
    public String toString() {
        String why = why();
        return why.isEmpty() ? state().toString() : state() + " (" + why + ")";
    }
}
