package dev.levee.console;

import dev.levee.core.Measured;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.internal.Text;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.HealthState;
import dev.levee.loadbalancing.LoadBalancer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is shown together under one name: a pipeline, or several things that measure. Immutable. */
final class Card {
    /** How many hot keys are shown. */
    private static final int MAX_HOT_KEYS = 10;

    private final String id;
    private final @Nullable String name;
    private final List<Measured> parts;
    private final Map<Policy, String> controls;
    private final Map<String, HotKeys> hotKeys;

    /** Makes a card; without a name that of the first thing is taken. */
    Card(
            String id,
            @Nullable String name,
            List<Measured> parts,
            Map<Policy, String> controls,
            Map<String, HotKeys> hotKeys) {
        this.hotKeys = hotKeys;
        this.id = id;
        this.name = name;
        this.parts = parts;
        this.controls = controls;
    }

    List<Measured> parts() {
        return parts;
    }

    Map<Policy, String> controls() {
        return controls;
    }

    /** The policies of a card that are known as objects, outermost first. */
    static List<Policy> policies(List<Measured> parts) {
        List<Policy> policies = new ArrayList<>();
        for (Measured part : parts) {
            if (part instanceof Pipeline pipeline) {
                policies.addAll(pipeline.policies());
            } else if (part instanceof Policy policy) {
                policies.add(policy);
            }
        }
        return policies;
    }

    /** Reads all figures; what a part throws becomes one word on its card. */
    CardReading read(Latencies latencies, long nowNanos) {
        LayerSink sink = new LayerSink(latencies, nowNanos);
        List<EndpointState<?>> states = new ArrayList<>();
        boolean broken = false;
        for (Measured part : parts) {
            try {
                if (part instanceof Pipeline pipeline) {
                    pipeline.policies().forEach(policy -> readPolicy(policy, sink));
                } else if (part instanceof Policy policy) {
                    readPolicy(policy, sink);
                } else {
                    part.measure(sink);
                    if (part instanceof LoadBalancer<?> balancer) {
                        states.addAll(balancer.snapshot());
                    }
                }
            } catch (Throwable e) { // also an Error, as of a class that is missing: the other cards are shown
                ConsoleLog.broken("card", String.valueOf(name), e);
                broken = true;
            }
        }
        return new CardReading(this, sink, states, broken);
    }

    private void readPolicy(Policy policy, LayerSink sink) {
        Layer layer = sink.layer(policy.kind().label(), policy.name());
        layer.linked = true;
        layer.control = controls.get(policy);
        if (policy instanceof Measured measured) {
            measured.measure(sink);
        }
    }

    /** What a card shows at one moment. */
    static final class CardReading {
        private final Card card;
        private final List<Layer> layers;
        private final List<Layer> endpoints;
        private final long moreLayers;
        private final long moreEndpoints;
        private final boolean broken;
        private final int trouble;
        private final String why;

        CardReading(Card card, LayerSink sink, List<EndpointState<?>> states, boolean broken) {
            this.card = card;
            this.broken = broken;
            layers = sink.layers();
            endpoints = sink.endpoints();
            addHealth(states);
            moreLayers = sink.moreLayers();
            moreEndpoints = sink.moreEndpoints();
            Layer worst = layers.stream()
                    .max(Comparator.comparingInt(layer -> layer.trouble))
                    .orElse(new Layer("", ""));
            trouble = worst.trouble;
            why = worst.why;
        }

        private void addHealth(List<EndpointState<?>> states) {
            Map<String, EndpointState<?>> byId = new HashMap<>();
            states.forEach(state -> byId.put(state.endpoint().id(), state));
            for (Layer endpoint : endpoints) {
                EndpointState<?> state = byId.get(endpoint.name.substring(endpoint.name.lastIndexOf('/') + 1));
                if (state != null) {
                    endpoint.state = state.state().name();
                    // Why a check has failed is the message of an exception, which stays in the log.
                    endpoint.why = state.state() == HealthState.EJECTED ? state.why() : "";
                    if (state.latencyNanos() >= 0) {
                        endpoint.figures.put("endpoint.latency.nanos", (double) state.latencyNanos());
                    }
                } else if (endpoint.figure("endpoint.state") >= 0) {
                    HealthState[] all = HealthState.values();
                    endpoint.state = all[(int) Math.min(all.length - 1, endpoint.figure("endpoint.state"))].name();
                }
            }
        }

        int trouble() {
            return trouble;
        }

        private String name() {
            return card.name != null ? card.name : layers.isEmpty() ? card.id : layers.get(0).name;
        }

        void write(JsonText json, Controls controls) {
            json.open('{').name("id").value(card.id).name("name").value(Text.printable(name()));
            json.name("trouble")
                    .value(trouble)
                    .name("why")
                    .value(why)
                    .name("broken")
                    .value(broken);
            HotKeys hot = card.hotKeys.get(name());
            json.name("keys").open('[');
            for (HotKeys.Hot key : hot == null ? List.<HotKeys.Hot>of() : hot.hottest(MAX_HOT_KEYS)) {
                json.open('{')
                        .name("key")
                        .value(key.key())
                        .name("share")
                        .value(key.share())
                        .close('}');
            }
            json.close(']').name("layers").open('[');
            for (Layer layer : layers) {
                if (layer.control == null && layer.policy != null) {
                    layer.control = controls.found(layer.policy);
                }
                layer.write(json);
            }
            json.close(']')
                    .name("moreLayers")
                    .value(moreLayers)
                    .name("endpoints")
                    .open('[');
            for (Layer endpoint : endpoints) {
                json.open('{')
                        .name("name")
                        .value(Text.printable(endpoint.name))
                        .name("state")
                        .value(endpoint.state);
                json.name("why")
                        .value(Text.printable(endpoint.why))
                        .name("figures")
                        .open('{');
                endpoint.figures.forEach((metric, value) -> json.name(metric).value(value.doubleValue()));
                json.close('}').close('}');
            }
            json.close(']').name("moreEndpoints").value(moreEndpoints).close('}');
        }
    }
}
