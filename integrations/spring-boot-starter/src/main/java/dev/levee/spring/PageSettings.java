package dev.levee.spring;

import dev.levee.console.Console;
import dev.levee.console.ConsoleConfig;
import dev.levee.core.internal.Text;
import dev.levee.spring.LeveeConfigurationException.Problem;
import dev.levee.spring.Settings.SettingNode;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * The settings of the live page as they were read, checked by the builder of the console. Touched only where
 * {@code levee-console} is there. See ADR 181.
 */
final class PageSettings {
    static final int STANDARD_PORT = 8090;

    /** What may be said of a mistake; any other value, as of a name that is misspelled, may be the token. */
    private static final Set<String> SHOWN = Set.of("enabled", "port", "bind", "title", "streams", "hosts");

    /** An address, so that no name is asked for at the start. */
    private static final Pattern ADDRESS =
            Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*(%\\w+)?");

    /** Knows what may be set. */
    private final ConsoleConfig.Builder checked = ConsoleConfig.builder();

    private final List<Consumer<ConsoleConfig.Builder>> steps = new ArrayList<>();
    private int port = STANDARD_PORT;

    private PageSettings() {
        set(builder -> builder.port(STANDARD_PORT));
    }

    private void set(Consumer<ConsoleConfig.Builder> step) {
        step.accept(checked);
        steps.add(step);
    }

    /** Returns the settings of an application whose configuration is known to be right. */
    static PageSettings read(ConfigurableEnvironment environment) {
        SettingNode root = Settings.read(environment);
        SettingNode node = root.at("console");
        List<Problem> problems = new ArrayList<>();
        Values values = new Values("levee.console", node == null ? List.of() : List.of(node), false, problems);
        PageSettings settings = read(values);
        settings.titled(environment.getProperty("spring.application.name"), values);
        if (!problems.isEmpty()) {
            throw new LeveeConfigurationException(problems);
        }
        return settings;
    }

    /** Makes mistakes be said without what may be the token. */
    static void hide(SettingNode console) {
        console.children().values().forEach(child -> {
            if (!SHOWN.contains(Settings.uniform(child.name()))) {
                child.hide();
            }
        });
    }

    static PageSettings read(Values values) {
        PageSettings settings = new PageSettings();
        values.get("enabled", SettingType.FLAG, false, "Whether a live page is served. Needs levee-console.");
        values.set("port", SettingType.INT, STANDARD_PORT, "The port of the page, 0 for any that is free.", port -> {
            settings.set(builder -> builder.port(port));
            settings.port = port;
        });
        values.set(
                "bind",
                SettingType.TEXT.map(PageSettings::address),
                "127.0.0.1",
                "The address to listen on; any other than loopback needs a token.",
                bind -> settings.set(builder -> builder.bind(bind)));
        values.set(
                "title",
                SettingType.TEXT,
                null,
                "What the page is headed with. Default: the name of the application.",
                title -> settings.set(builder -> builder.title(title)));
        values.set(
                "streams",
                SettingType.INT,
                16,
                "How many pages may follow at the same time.",
                streams -> settings.set(builder -> builder.streams(streams)));
        values.list(
                "hosts",
                SettingType.TEXT.map(host -> {
                    settings.set(builder -> builder.host(host));
                    return host;
                }),
                "Names besides those of loopback that a browser may ask for, as they stand in the header Host.");
        values.set(
                "token",
                SettingType.TEXT,
                null,
                "The token that buttons need: a secret of 16 characters or more. Default: none, and no buttons.",
                token -> settings.set(builder -> builder.token(token)));
        if (!values.isPartial()) {
            try {
                settings.checked.build();
            } catch (IllegalArgumentException wrong) { // an address beyond loopback, and no token
                values.wrong("bind", String.valueOf(wrong.getMessage()));
            }
        }
        return settings;
    }

    private static InetAddress address(String text) {
        String word = text.trim();
        try {
            if (word.equals("localhost")) {
                return InetAddress.getLoopbackAddress();
            }
            if (ADDRESS.matcher(word).matches()) {
                return InetAddress.getByName(word);
            }
        } catch (UnknownHostException none) {
            // said below
        }
        throw new IllegalArgumentException("must be an address of this machine such as 127.0.0.1, ::1 or 0.0.0.0");
    }

    private void titled(@Nullable String application, Values values) {
        if (application != null && !application.isBlank() && !values.effective().containsKey("title")) {
            set(builder -> builder.title(Text.printable(application)));
        }
    }

    int port() {
        return port;
    }

    /** Serves the page. */
    Console start() {
        return Console.start(builder -> steps.forEach(step -> step.accept(builder)));
    }
}
