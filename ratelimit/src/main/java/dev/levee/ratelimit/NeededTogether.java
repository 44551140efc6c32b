package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * What a call needs of several limiters, all or nothing: they are asked first, and taken one after the other; what was
 * taken before another call was faster is given back as of the same moment. See ADR 88 and ADR 115.
 */
final class NeededTogether implements Need {
    private final NeededPart.Waitable[] parts;
    private boolean takenInPart;

    NeededTogether(NeededPart.Waitable... parts) {
        this.parts = parts;
    }

    @Override
    public long take(long nowNanos) {
        long wait = peek(nowNanos);
        for (int i = 0; i < parts.length && wait == 0; i++) {
            wait = parts[i].take(nowNanos);
            if (wait != 0) {
                for (int taken = i - 1; taken >= 0; taken--) {
                    parts[taken].giveBack(nowNanos, nowNanos);
                }
                takenInPart = i > 0 && peek(nowNanos) != 0; // else nothing that could be seen was in the way
            }
        }
        return wait;
    }

    @Override
    public long peek(long nowNanos) {
        long wait = 0;
        for (NeededPart part : parts) {
            wait = Math.max(wait, part.peek(nowNanos));
        }
        return wait;
    }

    @Override
    public boolean isTooMuch() {
        return Arrays.stream(parts).anyMatch(NeededPart.Waitable::isTooMuch);
    }

    @Override
    public long earliest(Forecast plan, long fromNanos) {
        return ((Plan) plan).earliest(fromNanos, parts);
    }

    @Override
    public void plan(Forecast plan, long atNanos) {
        ((Plan) plan).take(atNanos, parts);
    }

    @Override
    public boolean isSameSpan(long plannedNanos, long nowNanos) {
        for (NeededPart.Waitable part : parts) {
            if (!part.isSameSpan(plannedNanos, nowNanos)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void watch(WaitQueue queue, boolean begins) {
        for (NeededPart.Waitable part : parts) {
            part.watch(queue, begins);
        }
    }

    @Override
    public boolean hasTakenInPart() {
        boolean was = takenInPart;
        takenInPart = false;
        return was;
    }

    @Override
    public void giveBack(long nowNanos, long takenNanos) {
        for (NeededPart part : parts) {
            part.giveBack(nowNanos, takenNanos);
        }
    }

    @Override
    public void gaveBack() {
        for (NeededPart.Waitable part : parts) {
            part.gaveBack();
        }
    }

    @Override
    public void counted(boolean isAdmitted) {
        if (!isAdmitted) {
            tightest().counted(false);
            return;
        }
        for (NeededPart part : parts) {
            part.counted(true);
        }
    }

    @Override
    public RateLimitedException refusal(long waitNanos) {
        return tightest().refusal(waitNanos);
    }

    /** The part for which a call would wait longest now; the first one if there is no wait. */
    NeededPart.Waitable tightest() {
        NeededPart.Waitable tightest = parts[0];
        long longest = 0;
        for (NeededPart.Waitable part : parts) {
            long wait = part.isTooMuch() ? RateLimiter.NEVER : part.peek(part.nanoTime());
            if (wait > longest) {
                longest = wait;
                tightest = part;
            }
        }
        return tightest;
    }

    /**
     * Plans calls that need different limiters: of each limiter it has a forecast, which it makes when the limiter is
     * first asked for.
     */
    static final class Plan implements Forecast {
        private static final int MAX_STEPS = 1_000;

        private final long nowNanos;
        private final Map<Object, Forecast> forecasts = new HashMap<>();

        Plan(long nowNanos) {
            this.nowNanos = nowNanos;
        }

        long nowNanos() {
            return nowNanos;
        }

        Forecast ofLimiter(AbstractLimiter limiter) {
            return forecast(new NeededPart.OfLimiter(limiter, 1));
        }

        private Forecast forecast(NeededPart.Waitable part) {
            Object planned = part.planned();
            Forecast made = forecasts.get(planned);
            if (made == null) {
                made = part.forecast(this); // which may add others
                forecasts.put(planned, made);
            }
            return made;
        }

        long earliest(long fromNanos, NeededPart.Waitable... parts) {
            long wait = 0;
            for (int step = 0; step < MAX_STEPS && wait < RateLimiter.NEVER; step++) {
                long more = 0;
                for (NeededPart.Waitable part : parts) {
                    more = Math.max(more, forecast(part).earliest(fromNanos + wait, part.permits()));
                }
                if (more == 0) {
                    return wait;
                }
                wait = Nanos.add(wait, more);
            }
            return RateLimiter.NEVER;
        }

        void take(long atNanos, NeededPart.Waitable... parts) {
            for (NeededPart.Waitable part : parts) {
                forecast(part).take(atNanos, part.permits());
            }
        }

        @Override
        public long earliest(long fromNanos, long permits) {
            throw new IllegalStateException("this plan is of several limiters");
        }

        @Override
        public void take(long atNanos, long permits) {
            throw new IllegalStateException("this plan is of several limiters");
        }
    }
}
