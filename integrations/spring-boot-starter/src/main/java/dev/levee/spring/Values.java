package dev.levee.spring;

import dev.levee.core.internal.Text;
import dev.levee.spring.LeveeConfigurationException.Problem;
import dev.levee.spring.Settings.SettingNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The settings of one policy in layers, of which the first that has a property counts: the pattern of a key, the policy
 * itself, the defaults of its kind. Reading a property declares it, so that the code that reads is the table of all
 * properties: for unknown names, for the metadata of IDEs, and for what has changed. Not thread-safe.
 */
final class Values {
    private final String subject;
    private final List<SettingNode> layers;
    private final String prefix;
    private final boolean partial;
    private final List<Problem> problems;

    /** By the name below the policy. A star stands for a name or number that the user chooses. */
    private final Map<String, Declared> declared;

    /** What counts, by its name below the policy. */
    private final Map<String, String> effective;

    /** Up to which layer a property counts, because a nearer one says something that it does not go with. */
    private final Map<String, Integer> overridden = new HashMap<>();

    /** What stands further out and does nothing here, because nothing says what it needs. */
    private final Map<SettingNode, String> unused = new LinkedHashMap<>();

    Values(String subject, List<SettingNode> layers, boolean partial, List<Problem> problems) {
        this(subject, layers, "", partial, problems, new LinkedHashMap<>(), new LinkedHashMap<>());
    }

    private Values(
            String subject,
            List<SettingNode> layers,
            String prefix,
            boolean partial,
            List<Problem> problems,
            Map<String, Declared> declared,
            Map<String, String> effective) {
        this.subject = subject;
        this.layers = layers;
        this.prefix = prefix;
        this.partial = partial;
        this.problems = problems;
        this.declared = declared;
        this.effective = effective;
    }

    /** A property that exists. */
    record Declared(String name, String type, @Nullable Object standard, String description) {}

    Map<String, Declared> declared() {
        return declared;
    }

    Map<String, String> effective() {
        return effective;
    }

    /**
     * Passes the value of a property on if it is set, and returns it; what the setter says of it names the property.
     */
    <T> @Nullable T set(
            String name, SettingType<T> type, @Nullable Object standard, String text, Consumer<? super T> setter) {
        declare(name, type.type(), standard, text);
        SettingNode node = find(name);
        String value = node == null ? null : node.value();
        if (node == null) {
            return null;
        }
        if (value == null) {
            problems.add(node.problem("must be a single value"));
            return null;
        }
        effective.put(prefix + name, value);
        try {
            T parsed = type.parse().apply(value);
            setter.accept(parsed);
            return parsed;
        } catch (IllegalArgumentException | NullPointerException wrong) {
            problems.add(node.problem(String.valueOf(wrong.getMessage())));
            return null;
        }
    }

    /** Returns the value of a property, or null if it is not set. */
    <T> @Nullable T get(String name, SettingType<T> type, @Nullable Object standard, String text) {
        return set(name, type, standard, text, value -> {});
    }

    /** Returns the value of a property, or the default if it is not set. */
    <T> T get(String name, SettingType<T> type, T standard, Object shown, String text) {
        T value = get(name, type, shown, text);
        return value == null ? standard : value;
    }

    /** Returns the values of a property that is a list. */
    <T> List<T> list(String name, SettingType<T> type, String text) {
        declare(name, "java.util.List<" + type.type() + ">", null, text);
        SettingNode node = find(name);
        List<T> list = new ArrayList<>();
        if (node == null) {
            return list;
        }
        for (SettingNode element : node.elements(problems)) {
            String value = element.value();
            effective.merge(prefix + name, String.valueOf(value), (a, b) -> a + ',' + b);
            try {
                list.add(type.parse().apply(value == null ? "" : value));
            } catch (IllegalArgumentException wrong) {
                problems.add(element.problem(String.valueOf(wrong.getMessage())));
            }
        }
        return list;
    }

    /** Returns the values of properties below a name, by the names that the user has chosen. */
    <T> Map<String, T> map(String name, SettingType<T> type, String text) {
        declare(name + ".*", type.type(), null, text);
        Map<String, T> map = new LinkedHashMap<>();
        SettingNode node = find(name);
        if (node == null) {
            return map;
        }
        for (SettingNode child : node.children().values()) {
            String value = child.value();
            try {
                map.put(child.name(), type.parse().apply(value == null ? "" : value));
                effective.put(prefix + name + '.' + child.name(), String.valueOf(value));
            } catch (IllegalArgumentException wrong) {
                problems.add(child.problem(String.valueOf(wrong.getMessage())));
            }
        }
        return map;
    }

    /** Returns the elements of a list of groups, each to be read by itself; one without anything if only declaring. */
    List<Values> groups(String name) {
        SettingNode node = find(name);
        List<Values> groups = new ArrayList<>();
        groups.add(new Values(subject, List.of(), prefix + name + ".*.", true, problems, declared, effective));
        if (node != null) {
            int index = 0;
            for (SettingNode each : node.elements(problems)) {
                String below = prefix + name + '.' + index++ + '.';
                groups.add(new Values(subject, List.of(each), below, partial, problems, declared, effective));
            }
        }
        return groups;
    }

    /** Whether this only declares what there is. */
    boolean isPartial() {
        return partial;
    }

    /** Returns what the settings make, and says what they contradict; null then, or if only declaring. */
    <T> @Nullable T build(Supplier<T> build) {
        if (partial) {
            return null;
        }
        int before = problems.size();
        try {
            return build.get();
        } catch (IllegalArgumentException | NullPointerException wrong) {
            if (problems.size() == before) {
                wrongAsSaid(String.valueOf(wrong.getMessage()));
            }
            return null;
        }
    }

    /** Says what is wrong of the property with whose name the message begins, as those of builders do. */
    private void wrongAsSaid(String message) {
        String[] words = message.split(" ", 3);
        String first = Settings.uniform(words[0]);
        String both = words.length < 2 ? first : first + Settings.uniform(words[1]);
        for (String word : List.of(both, both + 's', first)) {
            String found = null;
            for (String each : declared.keySet()) {
                String name = each.startsWith(prefix) ? each.substring(prefix.length()) : each;
                boolean whole = Settings.uniform(name).equals(word);
                boolean end = Settings.uniform(name.substring(name.lastIndexOf('.') + 1))
                        .equals(word);
                if ((whole && prefix.isEmpty()) || ((whole || end) && find(name) != null)) {
                    found = whole || found == null ? name : found;
                }
            }
            if (found != null) {
                wrong(found, message);
                return;
            }
        }
        for (String each : declared.keySet()) { // "unit" of calendar-unit
            if (prefix.isEmpty() && find(each) != null && each.endsWith('-' + words[0])) {
                wrong(each, message);
                return;
            }
        }
        wrong(message);
    }

    /** Says that a property must be set. */
    void missing(String name, String why) {
        SettingNode node = find(name);
        boolean isSaid = node != null
                && problems.stream().anyMatch(problem -> problem.property().equals(node.path()));
        if (!partial && !isSaid) {
            problems.add(new Problem(subject + '.' + name, null, why, null));
        }
    }

    /** Says that the settings as a whole are wrong. */
    void wrong(String reason) {
        if (!partial) {
            problems.add(new Problem(subject, null, reason, null));
        }
    }

    /** Says what is wrong with a property. */
    void wrong(String name, String reason) {
        SettingNode node = find(name);
        Problem problem = node == null ? new Problem(subject + '.' + name, null, reason, null) : node.problem(reason);
        if (!problems.contains(problem)) { // of the defaults, it is that of each policy
            problems.add(problem);
        }
    }

    private @Nullable SettingNode find(String name) {
        int layer = layer(name);
        return layer == layers.size() ? null : layers.get(layer).at(name);
    }

    /** Returns the nearest layer that has a property; how many layers there are if none has it. */
    private int layer(String name) {
        int end = overridden.getOrDefault(name, layers.size());
        for (int i = 0; i < end; i++) {
            if (layers.get(i).at(name) != null) {
                return i;
            }
        }
        return layers.size();
    }

    /** Whether one property stands in a nearer layer than another one. */
    boolean isNearer(String one, String other) {
        return layer(one) < layer(other);
    }

    /** Whether the nearest layer has a property. */
    boolean isNearest(String name) {
        return layer(name) == 0;
    }

    /** Whether any layer has a property. */
    boolean isSet(String name) {
        return layer(name) < layers.size();
    }

    private int nearest(List<String> names) {
        return names.stream().mapToInt(this::layer).min().orElse(layers.size());
    }

    private void override(List<String> names, int layer) {
        for (String name : names) {
            if (layer(name) > layer) {
                overridden.put(name, layer + 1);
                effective.remove(prefix + name);
            }
        }
    }

    /**
     * Says that some properties stand instead of other ones: those in the nearer layer override those further out. Of
     * one layer both count, and contradict each other.
     *
     * @return whether the first ones count
     */
    boolean instead(List<String> some, List<String> others) {
        int one = nearest(some);
        int other = nearest(others);
        override(some, other);
        override(others, one);
        return one <= other && one < layers.size();
    }

    /**
     * Says that properties do nothing with what another one is or is by default. Further out than it they are
     * overridden, and what stands in defaults may be meant for other policies, one at least: {@link UnusedDefaults}.
     */
    void idle(String decider, String reason, List<String> names) {
        if (partial) {
            return;
        }
        int decides = layer(decider);
        for (String name : names) {
            int layer = layer(name);
            boolean isSaid = layer == 0 || (decides < layers.size() && layer <= decides);
            if (layer < layers.size() && isSaid) {
                wrong(name, reason);
            } else {
                if (layer < layers.size() && decides == layers.size()) {
                    unused.put(Objects.requireNonNull(layers.get(layer).at(name)), reason);
                }
                override(List.of(name), Math.min(decides, layer - 1));
            }
        }
    }

    private void declare(String name, String type, @Nullable Object standard, String text) {
        declared.putIfAbsent(prefix + name, new Declared(prefix + name, type, standard, text));
    }

    /** Says which properties of a layer nothing has asked for. */
    void requireKnown(SettingNode layer) {
        String value = layer.value();
        if (value != null && !value.isBlank()) { // nothing at all is a policy with the defaults
            problems.add(layer.problem("has no value of its own, but properties below it"));
        }
        requireKnown(layer, "");
    }

    private void requireKnown(SettingNode node, String path) {
        for (Map.Entry<String, SettingNode> entry : node.children().entrySet()) {
            SettingNode child = entry.getValue();
            String below = path.isEmpty() ? entry.getKey() : path + '.' + entry.getKey();
            if (isDeclared(below)) {
                continue;
            }
            if (declared.keySet().stream().anyMatch(name -> isBelow(name, below))) {
                if (child.value() != null) {
                    problems.add(
                            child.problem("has no value of its own, but properties below it: " + namesBelow(below)));
                }
                requireKnown(child, below);
                continue;
            }
            List<String> names = new ArrayList<>();
            for (String name : declared.keySet()) {
                if (name.startsWith("keys.patterns.")) {
                    continue;
                }
                names.add(name.substring(name.lastIndexOf('.', name.length() - 1) + 1));
                names.add(name);
            }
            if (problems.stream().noneMatch(told -> told.property().equals(child.path()))) {
                problems.add(child.problem(
                        "is no property of " + Text.printable(subject) + Settings.suggestion(child.name(), names)));
            }
        }
    }

    private String namesBelow(String path) {
        return String.valueOf(
                declared.keySet().stream().filter(name -> isBelow(name, path)).toList());
    }

    private boolean isDeclared(String path) {
        return declared.keySet().stream().anyMatch(name -> matches(name, path) || isElement(name, path));
    }

    /** Whether a path is the element of a list. */
    private boolean isElement(String name, String path) {
        Declared property = declared.get(name);
        int last = path.lastIndexOf('.');
        return property != null
                && last > 0
                && property.type().startsWith("java.util.List")
                && matches(name, path.substring(0, last));
    }

    /** Declares a list of groups that something else reads, with the properties of this policy in each. */
    void declareGroup(String name, String property, String text) {
        List<Declared> before = List.copyOf(declared.values());
        declare(name + ".*." + property, SettingType.TEXT.type(), null, text);
        for (Declared each : before) {
            if (!each.name().startsWith("keys.") && !each.name().equals("kind")) {
                String below = name + ".*." + each.name();
                declared.put(below, new Declared(below, each.type(), null, each.description()));
            }
        }
    }

    private static boolean matches(String name, String path) {
        String[] names = name.split("\\.", -1);
        String[] paths = path.split("\\.", -1);
        return names.length == paths.length && startsWith(names, paths);
    }

    private static boolean isBelow(String name, String path) {
        String[] names = name.split("\\.", -1);
        String[] paths = path.split("\\.", -1);
        return names.length > paths.length && startsWith(names, paths);
    }

    private static boolean startsWith(String[] names, String[] paths) {
        for (int i = 0; i < paths.length; i++) {
            if (!names[i].equals("*") && !Settings.uniform(names[i]).equals(Settings.uniform(paths[i]))) {
                return false;
            }
        }
        return true;
    }

    /** Finds what stands in the defaults of a kind and does nothing in any policy that is made with them. */
    static final class UnusedDefaults {
        private final Map<PolicyKind<?>, Map<SettingNode, String>> byKind = new LinkedHashMap<>();

        /** Notes what a policy, or a pattern of its keys, makes of the defaults. */
        void note(PolicyKind<?> kind, Values values) {
            Map<SettingNode, String> known = byKind.get(kind);
            if (known == null) {
                byKind.put(kind, new LinkedHashMap<>(values.unused));
            } else {
                known.keySet().retainAll(values.unused.keySet());
            }
        }

        /** Says what no policy has a use for. */
        void say(List<Problem> problems) {
            byKind.values().forEach(unused -> unused.forEach((node, reason) -> problems.add(node.problem(reason))));
        }
    }
}
