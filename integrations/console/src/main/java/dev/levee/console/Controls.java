package dev.levee.console;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Policy;
import dev.levee.core.internal.Text;
import dev.levee.core.policy.Faults;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What buttons do. A request names a control by an id that this process has given out, and one of a few words; there is
 * nothing that it could name besides. Everything is checked before anything is done. Thread-safe.
 */
final class Controls {
    /** How many actions can be added. */
    static final int MAX_ACTIONS = 50;

    private static final int MAX_REASON_CHARS = 200;
    private static final int MAX_MINUTES = 1440;
    private static final Set<String> NAMES = Set.of("control", "action", "reason", "minutes");
    private static final String ACTION = "action";
    private static final String FOUND = "f";

    private final EventRing events;
    private final Map<String, Policy> policies = new ConcurrentHashMap<>();
    private final Map<Integer, NamedAction> actions = new ConcurrentSkipListMap<>();
    private final AtomicInteger ids = new AtomicInteger();

    /** What the last reading has found, and what this one has; of the thread that reads. */
    private IdentityHashMap<Policy, String> found = new IdentityHashMap<>();

    private IdentityHashMap<Policy, String> foundNow = new IdentityHashMap<>();

    /** An action of the application; a switch if it says whether it is on. */
    private record NamedAction(
            String name, Consumer<Boolean> run, @Nullable BooleanSupplier on) {}

    /** A request that was refused, with the status of the answer; the message may be shown. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
        final int status;

        Refused(int status, String message) {
            super(message, null, false, false);
            this.status = status;
        }
    }

    Controls(EventRing events) {
        this.events = events;
    }

    static boolean controls(Policy policy) {
        return policy instanceof CircuitBreaker || policy instanceof Faults;
    }

    String add(Policy policy) {
        String id = "p" + ids.incrementAndGet();
        policies.put(id, policy);
        return id;
    }

    void remove(String id) {
        policies.remove(id);
    }

    /**
     * Returns the id of a policy that was found among the figures of a card, as one of a key or an endpoint is. It is
     * good for as long as each reading finds it. Used by the thread that reads.
     */
    String found(Policy policy) {
        String known = found.get(policy);
        String id = known == null ? FOUND + ids.incrementAndGet() : known;
        foundNow.put(policy, id);
        policies.put(id, policy);
        return id;
    }

    /** Ends a reading: what it has not found is gone, or shown no more. Used by the thread that reads. */
    void forgetOthers() {
        found.forEach((policy, id) -> {
            if (!foundNow.containsKey(policy)) {
                policies.remove(id);
            }
        });
        found = foundNow;
        foundNow = new IdentityHashMap<>();
    }

    /** Forgets what was found until it is found again, since something is shown no more. */
    void forgetFound() {
        policies.keySet().removeIf(id -> id.startsWith(FOUND));
    }

    void add(String name, Consumer<Boolean> run, @Nullable BooleanSupplier on) {
        if (actions.size() >= MAX_ACTIONS) {
            throw new IllegalStateException("there are " + MAX_ACTIONS + " actions already");
        }
        actions.put(ids.incrementAndGet(), new NamedAction(name, run, on));
    }

    void write(JsonText json) {
        json.open('[');
        actions.forEach((id, action) -> {
            json.open('{').name("control").value("a" + id).name("name").value(action.name);
            json.name("on");
            if (action.on == null) {
                json.value((String) null);
            } else {
                json.value(isOn(action));
            }
            json.close('}');
        });
        json.close(']');
    }

    private static boolean isOn(NamedAction action) {
        BooleanSupplier on = action.on;
        try {
            return on != null && on.getAsBoolean();
        } catch (Throwable e) {
            ConsoleLog.broken("action", action.name, e);
            return false;
        }
    }

    /**
     * Does what a request says.
     *
     * @throws Refused if something is wrong with it, and then nothing was done; or if what it says has failed
     */
    void press(Map<String, String> request) throws Refused {
        for (String name : request.keySet()) {
            if (!NAMES.contains(name)) {
                throw new Refused(400, "there is control, action, reason and minutes, and nothing else");
            }
        }
        String control = request.getOrDefault("control", "");
        String action = request.getOrDefault(ACTION, "");
        String reason = request.getOrDefault("reason", "").strip();
        if (reason.isEmpty() || reason.length() > MAX_REASON_CHARS) {
            throw new Refused(400, "reason must have from 1 to " + MAX_REASON_CHARS + " characters");
        }
        Duration time = minutes(request.get("minutes"));
        Press press = find(control, action, time);
        String shown = Text.printable(press.kind + " " + press.name);
        ConsoleLog.pressed(shown + ": " + action, reason);
        try {
            press.run.run();
        } catch (Throwable e) {
            ConsoleLog.failed(shown, e);
            events.add(EventRing.Level.ACTION, press.kind, Text.printable(press.name), action + " failed");
            throw new Refused(500, "it failed; the log of the process says why");
        }
        String limit = time == null ? "" : " for " + time.toMinutes() + " min";
        String text = action.replace('-', ' ') + limit + ": " + Text.printable(reason);
        events.add(EventRing.Level.ACTION, press.kind, Text.printable(press.name), text);
    }

    private record Press(String kind, String name, Runnable run) {}

    private Press find(String control, String action, @Nullable Duration time) throws Refused {
        Policy policy = policies.get(control);
        Runnable run = null;
        if (policy instanceof CircuitBreaker breaker) {
            run = breaker(breaker, action, time);
        } else if (policy instanceof Faults faults) {
            run = faults(faults, action, time);
        }
        if (policy != null && run != null) {
            return new Press(policy.kind().label(), policy.name(), run);
        }
        NamedAction named = control.matches("a[0-9]{1,9}") ? actions.get(Integer.valueOf(control.substring(1))) : null;
        if (named == null && policy == null) {
            throw new Refused(404, "there is no such control");
        }
        if (named != null && time == null) {
            boolean isSwitch = named.on != null;
            if (isSwitch && (action.equals("on") || action.equals("off"))) {
                boolean on = action.equals("on");
                return new Press(ACTION, named.name, () -> named.run.accept(on));
            }
            if (!isSwitch && action.equals("run")) {
                return new Press(ACTION, named.name, () -> named.run.accept(true));
            }
        }
        throw new Refused(400, "this control does not have that action");
    }

    private static @Nullable Runnable breaker(CircuitBreaker breaker, String action, @Nullable Duration time) {
        return switch (action) {
            case "force-open" -> time == null ? breaker::forceOpen : () -> breaker.forceOpen(time);
            case "reset" -> time == null ? breaker::reset : null;
            default -> null;
        };
    }

    private static @Nullable Runnable faults(Faults faults, String action, @Nullable Duration time) {
        return switch (action) {
            case "on" -> time == null ? null : () -> faults.switchOn(time);
            case "off" -> time == null ? faults::switchOff : null;
            default -> null;
        };
    }

    private static @Nullable Duration minutes(@Nullable String text) throws Refused {
        if (text == null || text.isEmpty()) {
            return null;
        }
        int minutes = text.matches("[0-9]{1,4}") ? Integer.parseInt(text) : 0;
        if (minutes < 1 || minutes > MAX_MINUTES) {
            throw new Refused(400, "minutes must be from 1 to " + MAX_MINUTES);
        }
        return Duration.ofMinutes(minutes);
    }
}
