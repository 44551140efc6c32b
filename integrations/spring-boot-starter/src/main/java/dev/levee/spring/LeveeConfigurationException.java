package dev.levee.spring;

import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when the configuration of an application is wrong: an unknown property, a value out of its bounds, a name that
 * is not there. Each problem names its property. The start fails with it; a change while running leaves everything as
 * it was.
 *
 * @since 0.1
 */
public final class LeveeConfigurationException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** Empty in a copy that was serialized; the message has it all. */
    private final transient List<Problem> problems;

    LeveeConfigurationException(List<Problem> problems) {
        super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
        this.problems = List.copyOf(problems);
    }

    LeveeConfigurationException(Problem problem) {
        this(List.of(problem));
    }

    /**
     * Returns what is wrong, in the order of the configuration. A copy that was serialized has the message alone.
     *
     * @return at least one problem, unmodifiable
     */
    public List<Problem> problems() {
        return problems == null ? List.of() : problems;
    }

    /**
     * One thing that is wrong.
     *
     * @param property the name of the property, or of the method or bean that asks for something that is not there
     * @param value its value; null if it has none
     * @param reason what is wrong, with the bound
     * @param origin where the property was set, such as a file and a line; null if that is not known
     * @since 0.1
     */
    public record Problem(
            String property,
            @Nullable String value,
            String reason,
            @Nullable String origin) {
        @Override
        public String toString() {
            return property + (value == null ? "" : " = \"" + value + '"') + ": " + reason
                    + (origin == null ? "" : " (" + origin + ')');
        }
    }
}
