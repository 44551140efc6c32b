package dev.levee.jdbc.routing;

import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** The client info that was set at a connection, for each physical one that it takes. Confined to its thread. */
final class ClientInfo {
    private final Map<String, @Nullable String> values = new LinkedHashMap<>();

    /** Whether what is not among the values has none. */
    private boolean whole;

    boolean isSet() {
        return whole || !values.isEmpty();
    }

    void set(@Nullable String name, @Nullable String value) {
        values.put(name, value);
    }

    void setAll(@Nullable Properties properties) {
        values.clear();
        whole = true;
        if (properties != null) {
            properties.stringPropertyNames().forEach(name -> values.put(name, properties.getProperty(name)));
        }
    }

    /** Sets the same at a physical connection. */
    void apply(PhysicalConnection to) throws SQLException {
        if (whole) {
            Properties all = new Properties();
            values.forEach((name, value) -> {
                if (value != null) {
                    all.setProperty(name, value);
                }
            });
            to.setClientInfo(all);
        } else {
            for (Map.Entry<String, @Nullable String> each : values.entrySet()) {
                to.setClientInfo(each.getKey(), each.getValue());
            }
        }
    }
}
