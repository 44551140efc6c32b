package dev.levee.console;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Policy;
import dev.levee.core.internal.Text;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One policy of a card with its figures, as they were read in one poll; or one endpoint of a balancer. */
final class Layer {
    /** How many figures of one policy are shown. */
    static final int MAX_FIGURES = 80;

    /** The largest trouble: it refuses every call. */
    static final int REFUSES = 3;
    /** It refuses or loses some. */
    static final int SUFFERS = 2;
    /** Worth a look: set by hand, or rehearsed. */
    static final int NOTICE = 1;

    /** In the order of the figures. */
    private static final List<String> BREAKER_STATES =
            List.of(CircuitBreaker.State.values()).stream().map(Enum::name).toList();

    private static final String BREAKER_STATE = "breaker.state";

    final String kind;
    final String name;
    final Map<String, Double> figures = new LinkedHashMap<>();

    @Nullable String state;

    @Nullable String control;

    /** What a button acts on, if it was found among the figures. */
    @Nullable Policy policy;

    boolean linked;
    int trouble;
    String why = "";

    Layer(String kind, String name) {
        this.kind = kind;
        this.name = name;
    }

    void add(String metric, double value, List<String> states) {
        if (figures.size() < MAX_FIGURES) {
            figures.put(metric, value);
        }
        List<String> names = metric.equals(BREAKER_STATE) && states.isEmpty() ? BREAKER_STATES : states;
        if (value >= 0 && value < names.size()) {
            state = names.get((int) value).toUpperCase(Locale.ROOT);
        }
    }

    double figure(String metric) {
        return figures.getOrDefault(metric, Double.NaN);
    }

    /** Finds out what is wrong, from the figures. */
    void judge() {
        String shown = kind + " \"" + Text.printable(name) + "\"";
        if (kind.equals("breaker") && state != null) {
            switch (state) {
                case "OPEN" -> trouble(REFUSES, shown + " is open");
                case "FORCED_OPEN" -> trouble(REFUSES, shown + " was forced open");
                case "HALF_OPEN" -> trouble(SUFFERS, shown + " is half-open: it admits probes");
                case "RAMPING" -> trouble(SUFFERS, shown + " admits a share that rises");
                case "DISABLED" -> trouble(NOTICE, shown + " is disabled");
                case "OBSERVE_ONLY" -> trouble(NOTICE, shown + " only observes");
                default -> {}
            }
        } else if (kind.equals("faults") && figure("faults.on") > 0) {
            trouble(NOTICE, shown + " is on: a rehearsal");
        } else if (kind.equals("balancer")) {
            judgeBalancer(shown);
        } else if (figure("bulkhead.limit") > 0 && figure("bulkhead.in.flight") >= figure("bulkhead.limit")) {
            trouble(SUFFERS, shown + " is full");
        }
    }

    private void judgeBalancer(String shown) {
        double endpoints = figure("balancer.endpoints");
        double candidates = figure("balancer.candidates");
        if (figure("balancer.panic") > 0) {
            trouble(REFUSES, shown + " is in panic: too few endpoints are healthy");
        } else if (endpoints > 0 && candidates == 0) {
            trouble(REFUSES, shown + " has no endpoint that is usable");
        } else if (candidates < endpoints) {
            trouble(
                    SUFFERS,
                    shown + " leaves out " + (long) (endpoints - candidates) + " of " + (long) endpoints
                            + " endpoints");
        }
    }

    private void trouble(int level, String reason) {
        trouble = level;
        why = reason;
    }

    void write(JsonText json) {
        json.open('{').name("kind").value(kind).name("name").value(Text.printable(name));
        json.name("linked")
                .value(linked)
                .name("trouble")
                .value(trouble)
                .name("state")
                .value(state);
        json.name("control").value(control).name("figures").open('{');
        figures.forEach((metric, value) -> json.name(metric).value(value.doubleValue()));
        json.close('}').close('}');
    }
}
