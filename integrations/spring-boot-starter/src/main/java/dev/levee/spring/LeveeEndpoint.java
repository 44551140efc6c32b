package dev.levee.spring;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Measured;
import dev.levee.core.Policy;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Faults;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.lang.Nullable;

/**
 * The endpoint {@code levee} of the actuator: policies with their states, settings and figures, pipelines, and recent
 * events; and, if {@code management.endpoint.levee.access} is {@code unrestricted}, operations that change them.
 *
 * <p>What it shows has no keys of calls, no arguments and no messages of exceptions. See ADR 129.
 *
 * @since 0.1
 */
@Endpoint(id = "levee", defaultAccess = Access.READ_ONLY)
@SuppressWarnings("deprecation") // the annotation that Boot 3.5 knows, and Boot 4 as well
public final class LeveeEndpoint {
    private final PolicyRegistry policies;

    private final EndpointSettings settings;

    private final RecentEvents events;

    LeveeEndpoint(PolicyRegistry policies, EndpointSettings settings, RecentEvents events) {
        this.policies = policies;
        this.settings = settings;
        this.events = events;
    }

    /**
     * Returns everything.
     *
     * @return policies, pipelines and events
     */
    @ReadOperation
    public Map<String, Object> all() {
        Map<String, Object> all = new LinkedHashMap<>();
        Map<String, Object> each = new LinkedHashMap<>();
        policies.plan().policies().keySet().forEach(name -> each.put(name, describe(name)));
        all.put("policies", each);
        Map<String, List<String>> pipelines = new LinkedHashMap<>();
        policies.plan().pipelines().forEach((name, plan) -> pipelines.put(name, plan.elements()));
        all.put("pipelines", pipelines);
        all.put("events", events.newestFirst().stream().map(this::withoutKey).toList());
        all.put("eventsSkipped", events.skipped());
        return all;
    }

    /** The name of a policy for a key ends with it; the longest name that is known counts. */
    private RecentEvents.Event withoutKey(RecentEvents.Event event) {
        String policy = event.policy();
        if (policies.names().contains(policy)) {
            return event;
        }
        for (int dash = policy.lastIndexOf('-'); dash > 0; dash = policy.lastIndexOf('-', dash - 1)) {
            if (policies.keys(policy.substring(0, dash)) >= 0) {
                return event.of(policy.substring(0, dash));
            }
        }
        return event;
    }

    /**
     * Returns one policy.
     *
     * @param name its name
     * @return its kind, state, settings and figures; null, which is a 404, if there is none
     */
    @ReadOperation
    @Nullable public Map<String, Object> one(@Selector String name) {
        return policies.plan().policies().containsKey(name) ? describe(name) : null;
    }

    private Map<String, Object> describe(String name) {
        ConfiguredPlan.PolicyPlan plan = policies.plan().policies().get(name);
        Map<String, Object> one = new LinkedHashMap<>();
        if (plan == null) {
            return one;
        }
        one.put("kind", plan.kind().label());
        one.put("settings", plan.effective());
        Policy policy = policies.single().get(name);
        if (policy == null) {
            one.put("keys", policies.keys(name));
            return one;
        }
        if (policy instanceof CircuitBreaker breaker) {
            one.put("state", breaker.state().name());
        } else if (policy instanceof Faults faults) {
            one.put("state", faults.isOn() ? "ON" : "OFF");
        } else if (policy instanceof Bulkhead bulkhead) {
            one.put("inFlight", bulkhead.inFlight());
            one.put("waiting", bulkhead.waiting());
        }
        if (policy instanceof Measured measured) {
            Map<String, Double> figures = new TreeMap<>();
            measured.measure((owner, metric, value) -> {
                if (Double.isFinite(value)) {
                    figures.put(owner.equals(name) ? metric : owner + ' ' + metric, value);
                }
            });
            one.put("figures", figures);
        }
        return one;
    }

    /**
     * Reads the configuration again and changes what has changed, or nothing.
     *
     * @return the names of the policies that were changed
     */
    @WriteOperation
    public Map<String, Object> reload() {
        try {
            return Map.of("changed", policies.reload());
        } catch (LeveeConfigurationException wrong) {
            throw refused(wrong);
        }
    }

    /**
     * Does something to a policy, or changes one of its settings until the next start.
     *
     * @param name its name
     * @param action of a breaker {@code force-open}, {@code half-open}, {@code disable}, {@code observe-only} or
     *     {@code reset}; of faults {@code on} or {@code off}; null if a setting is changed
     * @param time for {@code force-open} and {@code on}: for how long, such as {@code 30s}
     * @param property the name of a setting, such as {@code failure-rate}
     * @param value its value; an empty text makes it what the configuration says
     * @return the policy afterwards; null, which is a 404, if there is none
     */
    @WriteOperation
    @Nullable public Map<String, Object> change(
            @Selector String name,
            @Nullable String action,
            @Nullable String time,
            @Nullable String property,
            @Nullable String value) {
        if (!policies.plan().policies().containsKey(name)) {
            return null;
        }
        if ((action == null) == (property == null)) {
            throw invalid("either action or property must be given");
        }
        if (property != null) {
            if (time != null) {
                throw invalid("time must not be given with a property");
            }
            if (value == null) {
                throw invalid("value must be given with a property; an empty text brings back what the configuration"
                        + " says");
            }
            set(name, property, value);
        } else if (action != null) {
            if (value != null) {
                throw invalid("value must not be given with an action");
            }
            act(name, action, time == null ? null : timeOf(time));
        }
        return describe(name);
    }

    private void act(String name, String action, @Nullable Duration time) {
        Policy policy = policies.single().get(name);
        if (time != null && !Set.of("force-open", "on").contains(action)) {
            throw invalid("time is for force-open and on only");
        }
        if (policy instanceof CircuitBreaker breaker) {
            switch (action) {
                case "force-open" -> {
                    if (time == null) {
                        breaker.forceOpen();
                    } else {
                        breaker.forceOpen(time);
                    }
                }
                case "half-open" -> breaker.halfOpen();
                case "disable" -> breaker.disable();
                case "observe-only" -> breaker.observeOnly();
                case "reset" -> breaker.reset();
                default ->
                    throw invalid("action of a breaker must be one of [force-open, half-open, disable,"
                            + " observe-only, reset]");
            }
        } else if (policy instanceof Faults faults) {
            switch (action) {
                case "on" -> {
                    if (time == null) {
                        faults.switchOn();
                    } else {
                        faults.switchOn(time);
                    }
                }
                case "off" -> faults.switchOff();
                default -> throw invalid("action of faults must be one of [on, off]");
            }
        } else {
            throw invalid("policy \"" + name + "\" has no actions, only breakers and faults have");
        }
    }

    private void set(String name, String property, String value) {
        try {
            settings.set(name, property, value);
        } catch (LeveeConfigurationException wrong) {
            throw refused(wrong);
        } catch (IllegalArgumentException wrong) {
            throw invalid(String.valueOf(wrong.getMessage()));
        }
    }

    private static Duration timeOf(String time) {
        try {
            Duration parsed = SettingType.TIME_SPAN.parse().apply(time);
            if (parsed.isZero() || parsed.isNegative()) {
                throw invalid("time must be more than zero");
            }
            return parsed;
        } catch (IllegalArgumentException wrong) {
            throw invalid("time " + wrong.getMessage());
        }
    }

    private static InvalidEndpointRequestException invalid(String reason) {
        return new InvalidEndpointRequestException(reason, reason);
    }

    private static InvalidEndpointRequestException refused(LeveeConfigurationException wrong) {
        return new InvalidEndpointRequestException(
                "nothing was changed: " + wrong.getMessage(), String.valueOf(wrong.getMessage()), wrong);
    }
}
