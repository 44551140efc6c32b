package dev.levee.spring;

import dev.levee.core.internal.Text;
import dev.levee.spring.LeveeConfigurationException.Problem;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * All properties under {@code levee} as a tree, with their origins. Names are compared in Boot's uniform form, so that
 * {@code max-attempts}, {@code maxAttempts} and a variable of the process are the same.
 *
 * <p>As in Boot, the first source that has a property counts, and a list is taken from one source as a whole.
 */
final class Settings {
    private static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("levee");

    private static final String VALUE_AND_LIST = "one value and as a list, of which one counts";

    /** What this module reads. */
    static final List<String> SECTIONS =
            List.of("policies", "pipelines", "defaults", "budgets", "guarded", "health", "data-sources", "console");

    private Settings() {}

    /** Returns the tree. */
    static SettingNode read(ConfigurableEnvironment environment) {
        SettingNode tree = new SettingNode("levee", "levee");
        for (ConfigurationPropertySource source : ConfigurationPropertySources.from(environment.getPropertySources())) {
            if (source instanceof IterableConfigurationPropertySource iterable) {
                boolean process = source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource;
                for (ConfigurationPropertyName name : iterable) {
                    boolean root = name.equals(ROOT);
                    if (root ? !process : ROOT.isAncestorOf(name) && !(process && isForeign(name, source))) {
                        add(tree, name, source, environment);
                    }
                }
            }
        }
        return tree;
    }

    /**
     * Whether a variable of the process only begins as ours do, as LEVEE_PORT of a container may, and those that
     * Kubernetes makes for a service of the name levee-console.
     */
    private static boolean isForeign(ConfigurationPropertyName name, ConfigurationPropertySource source) {
        String section = name.getElement(1, Form.UNIFORM);
        if (!section.equals("console") || name.getNumberOfElements() < 3) {
            return !isSection(section);
        }
        String property = name.getElement(2, Form.UNIFORM);
        ConfigurationProperty value = source.getConfigurationProperty(name);
        return property.equals("service")
                || (property.equals("port")
                        && value != null
                        && String.valueOf(value.getValue()).startsWith("tcp://"))
                || (property.equals("port") && name.getNumberOfElements() > 3);
    }

    /** Returns whether this module reads what is below a name. */
    static boolean isSection(String name) {
        String uniform = uniform(name);
        return SECTIONS.stream().anyMatch(section -> uniform(section).equals(uniform));
    }

    private static void add(
            SettingNode root,
            ConfigurationPropertyName name,
            ConfigurationPropertySource source,
            ConfigurableEnvironment env) {
        ConfigurationProperty property = source.getConfigurationProperty(name);
        if (property == null) {
            return;
        }
        SettingNode node = root;
        for (int i = 1; i < name.getNumberOfElements(); i++) {
            boolean index = name.isNumericIndex(i);
            if (index) {
                if (node.value != null || (node.list != null && node.list != source)) {
                    if (node.value != null && node.source == source) {
                        root.sayTwice(node.path, VALUE_AND_LIST, node.origin);
                    }
                    return;
                }
                node.list = source;
            }
            node = node.child(name.getElement(i, Form.UNIFORM), name.getElement(i, Form.ORIGINAL), index);
        }
        String written = written(name);
        if (node.value != null && node.source == source && !node.written.equals(written)) {
            String both = '"' + node.written + "\" and as \"" + written + "\", which are one name";
            root.sayTwice(node.path, both, node.origin);
        }
        String origin =
                property.getOrigin() == null ? null : property.getOrigin().toString();
        if (node.value == null && node.list == source) {
            root.sayTwice(node.path, VALUE_AND_LIST, origin);
        }
        if (node.value == null && node.list == null) {
            node.source = source;
            node.written = written;
            node.origin = origin;
            String text = String.valueOf(property.getValue());
            try {
                node.value = env.resolveRequiredPlaceholders(text);
            } catch (IllegalArgumentException unknown) { // nothing has its name, or it leads back to itself
                node.value = text;
                root.say(new Problem(node.path, null, "has a placeholder that cannot be resolved", origin));
            }
        }
    }

    private static String written(ConfigurationPropertyName name) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < name.getNumberOfElements(); i++) {
            String element = name.getElement(i, Form.ORIGINAL);
            if (name.isNumericIndex(i)) {
                text.append('[').append(element).append(']');
            } else {
                text.append(i == 0 ? "" : ".").append(element);
            }
        }
        return text.toString();
    }

    /** One element of a name, with its value if it has one. */
    static final class SettingNode {
        /** The whole name of the property, as it was written. */
        private String path;

        private String name;

        private final Map<String, SettingNode> children = new LinkedHashMap<>();

        private @Nullable String value;

        private @Nullable String origin;

        /** Where the value comes from, and how its name is written there. */
        private @Nullable ConfigurationPropertySource source;

        private String written = "";

        /**
         * Of the root: names that one source has twice, or as a value and as a list, so that one would be lost, and
         * values that cannot be read.
         */
        private final List<Problem> unreadable = new ArrayList<>();

        /** Whether the value may be a secret, and is not said. */
        private boolean hidden;

        /** From where the list comes, if this is one. */
        private @Nullable ConfigurationPropertySource list;

        SettingNode(String path, String name) {
            this.path = path;
            this.name = name;
        }

        private SettingNode child(String uniform, String original, boolean index) {
            String below = index ? path + '[' + original + ']' : path + '.' + original;
            SettingNode child = children.computeIfAbsent(uniform, key -> new SettingNode(below, original));
            if (original.length() > child.name.length()) { // a variable of the process has no dashes
                child.name = original;
                child.path = below;
            }
            return child;
        }

        String path() {
            return path;
        }

        String name() {
            return name;
        }

        @Nullable String value() {
            return value;
        }

        List<Problem> unreadable() {
            return unreadable;
        }

        private void sayTwice(String path, String both, @Nullable String origin) {
            say(new Problem(path, null, "stands in one place as " + both, origin)); // may be a secret
        }

        private void say(Problem problem) {
            if (!unreadable.contains(problem)) { // an index of a list is one of many
                unreadable.add(problem);
            }
        }

        boolean isList() {
            return list != null;
        }

        Map<String, SettingNode> children() {
            return children;
        }

        /** Returns what is at a path below this, in the form of a declaration; null if there is nothing. */
        @Nullable SettingNode at(String below) {
            SettingNode node = this;
            for (String element : below.split("\\.", -1)) {
                node = node.children.get(uniform(element));
                if (node == null) {
                    return null;
                }
            }
            return node;
        }

        /** Makes what is wrong with this be said without its value. */
        void hide() {
            hidden = true;
            children.values().forEach(SettingNode::hide);
        }

        Problem problem(String reason) {
            String shown = value == null ? null : hidden || name.equals("token") ? "******" : Text.printable(value);
            return new Problem(path, shown, reason, origin);
        }

        /** Returns the elements of a list, or the parts of a text between commas. */
        List<SettingNode> elements() {
            if (value != null) {
                List<SettingNode> parts = new ArrayList<>();
                for (String part : value.split(",", -1)) {
                    if (!part.isBlank()) {
                        SettingNode node = new SettingNode(path, name);
                        node.value = part.trim();
                        node.origin = origin;
                        parts.add(node);
                    }
                }
                return parts;
            }
            return children.entrySet().stream()
                    .filter(entry -> isList())
                    .sorted(Map.Entry.comparingByKey((a, b) -> Integer.compare(number(a), number(b))))
                    .map(Map.Entry::getValue)
                    .toList();
        }

        /** Returns the elements of a list, and says which of them are missing or empty. */
        List<SettingNode> elements(List<Problem> problems) {
            if (value != null) {
                if (value.indexOf(',') >= 0
                        && Arrays.stream(value.split(",", -1)).anyMatch(String::isBlank)) {
                    problems.add(problem("has an empty element"));
                }
                return elements();
            }
            if (!isList()) {
                children.values().forEach(child -> problems.add(child.problem("is no element of a list")));
                return List.of();
            }
            List<SettingNode> elements = elements();
            int expected = 0;
            for (SettingNode element : elements) {
                int index = number(element.name);
                if (index == Integer.MAX_VALUE) {
                    problems.add(element.problem("is no element of a list"));
                } else if (index != expected) {
                    problems.add(element.problem("comes after a gap: there is no " + path + '[' + expected + ']'));
                } else if (element.value != null && element.value.isBlank()) {
                    problems.add(element.problem("is an empty element"));
                }
                expected = index + 1;
            }
            return elements;
        }

        private static int number(String index) {
            try {
                return Integer.parseInt(index);
            } catch (NumberFormatException none) {
                return Integer.MAX_VALUE;
            }
        }
    }

    /** Returns the form in which names are compared. */
    static String uniform(String declared) {
        StringBuilder uniform = new StringBuilder(declared.length());
        for (int i = 0; i < declared.length(); i++) {
            char c = declared.charAt(i);
            if (Character.isLetterOrDigit(c)) {
                uniform.append(Character.toLowerCase(c));
            }
        }
        return uniform.toString();
    }

    /** Returns what of the names is nearest to a word, as a question to be put at the end of a message. */
    static String suggestion(String word, Iterable<String> names) {
        String nearest = null;
        int best = Math.max(3, word.length() / 3) + 1;
        for (String name : names) {
            int distance = distance(uniform(word), uniform(name));
            if (distance < best && !name.equals(word)) {
                best = distance;
                nearest = name;
            }
        }
        return nearest == null ? "" : "; did you mean \"" + nearest + "\"?";
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(Math.min(row[j - 1], above) + 1, change);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
