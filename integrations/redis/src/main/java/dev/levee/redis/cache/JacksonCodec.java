package dev.levee.redis.cache;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.cfg.MapperConfig;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.jsontype.PolymorphicTypeValidator;
import com.fasterxml.jackson.databind.util.StdDateFormat;
import dev.levee.cache.Codec;
import dev.levee.core.internal.Require;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Turns values of one fixed type into JSON and back, by Jackson; the bytes never choose a class.
 *
 * <pre>{@code
 * Codec<User> users = JacksonCodec.of(User.class);
 * Codec<Shape> shapes = JacksonCodec.of(Shape.class, Circle.class, Square.class);   // the only subtypes there may be
 * }</pre>
 *
 * <p>Default typing is not used. A type of its own that says by an annotation of Jackson that subtypes are named in the
 * JSON can be read only as the classes that are listed here, whatever the bytes name. Nesting is at most
 * {@link #MAX_NESTING} deep, and what follows the value, or is missing from it, is an error. Records, beans and dates
 * of {@code java.util} are known; for others give an {@link ObjectMapper} with the modules that it needs.
 *
 * <p>Needs {@code jackson-databind}, which this module does not bring along. Immutable and thread-safe.
 *
 * @param <T> what is turned into bytes
 * @since 0.1
 */
public final class JacksonCodec<T> implements Codec<T> {
    /** How deep objects and arrays may be nested. */
    public static final int MAX_NESTING = 100;

    private final String type;
    private final ObjectReader reader;
    private final ObjectWriter writer;

    private JacksonCodec(ObjectMapper mapper, JavaType type) {
        this.type = type.toCanonical();
        reader = mapper.readerFor(type).with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        writer = mapper.writerFor(type);
    }

    /**
     * Returns the codec of a class.
     *
     * @param type the class of all values
     * @param subtypes the classes that the JSON may name in their place, if the type is annotated so; none
     * @param <T> the values
     * @return the codec
     * @throws NullPointerException if an argument is null
     */
    public static <T> JacksonCodec<T> of(Class<T> type, Class<?>... subtypes) {
        ObjectMapper mapper = mapper(List.of(Require.nonNull("subtypes", subtypes)));
        return new JacksonCodec<>(mapper, mapper.constructType(Require.nonNull("type", type)));
    }

    /**
     * Returns the codec of a type with type arguments, such as {@code new TypeReference<List<User>>() {}}.
     *
     * @param type the type of all values
     * @param subtypes the classes that the JSON may name, if a type is annotated so; none
     * @param <T> the values
     * @return the codec
     * @throws NullPointerException if an argument is null
     */
    public static <T> JacksonCodec<T> of(TypeReference<T> type, Class<?>... subtypes) {
        ObjectMapper mapper = mapper(List.of(Require.nonNull("subtypes", subtypes)));
        return new JacksonCodec<>(mapper, mapper.constructType(Require.nonNull("type", type)));
    }

    /**
     * Returns the codec of a class by a mapper of the caller, whose modules and settings count, but not its default
     * typing: that must not be set.
     *
     * @param mapper makes JSON; copied
     * @param type the class of all values
     * @param subtypes the classes that the JSON may name in their place, if the type is annotated so; none
     * @param <T> the values
     * @return the codec
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the mapper has default typing
     */
    public static <T> JacksonCodec<T> of(ObjectMapper mapper, Class<T> type, Class<?>... subtypes) {
        Require.nonNull("type", type);
        ObjectMapper copy = Require.nonNull("mapper", mapper).copy();
        JavaType object = copy.constructType(Object.class);
        if (copy.getDeserializationConfig().getDefaultTyper(object) != null
                || copy.getSerializationConfig().getDefaultTyper(object) != null) {
            throw new IllegalArgumentException("mapper must not have default typing: the bytes would choose classes");
        }
        copy.getFactory().setStreamReadConstraints(constraints());
        copy.setPolymorphicTypeValidator(allowing(List.of(Require.nonNull("subtypes", subtypes))));
        return new JacksonCodec<>(copy, copy.constructType(type));
    }

    private static ObjectMapper mapper(List<Class<?>> subtypes) {
        JsonFactory factory =
                JsonFactory.builder().streamReadConstraints(constraints()).build();
        return JsonMapper.builder(factory)
                .polymorphicTypeValidator(allowing(subtypes))
                .defaultDateFormat(new StdDateFormat())
                .build();
    }

    private static StreamReadConstraints constraints() {
        return StreamReadConstraints.builder().maxNestingDepth(MAX_NESTING).build();
    }

    private static PolymorphicTypeValidator allowing(List<Class<?>> subtypes) {
        return new ListedOnly(subtypes.stream().map(Class::getName).collect(Collectors.toUnmodifiableSet()));
    }

    /** Looks at names before classes are loaded, and lets no subtype through because of its base type. */
    private static final class ListedOnly extends PolymorphicTypeValidator.Base {
        private static final long serialVersionUID = 1L;

        /** Their names. */
        @SuppressWarnings("serial") // immutable sets of the platform are serializable
        private final Set<String> listed;

        ListedOnly(Set<String> listed) {
            this.listed = listed;
        }

        @Override
        public Validity validateBaseType(MapperConfig<?> config, JavaType base) {
            return Validity.INDETERMINATE;
        }

        @Override
        public Validity validateSubClassName(MapperConfig<?> config, JavaType base, String named) {
            return listed.contains(named) ? Validity.ALLOWED : Validity.DENIED;
        }

        @Override
        public Validity validateSubType(MapperConfig<?> config, JavaType base, JavaType sub) {
            return listed.contains(sub.getRawClass().getName()) ? Validity.ALLOWED : Validity.DENIED;
        }
    }

    @Override
    public byte[] encode(T value) {
        try {
            return writer.writeValueAsBytes(Require.nonNull("value", value));
        } catch (JsonProcessingException broken) {
            throw new IllegalArgumentException("value cannot be written as JSON of " + type, broken);
        }
    }

    @Override
    public T decode(byte[] bytes) {
        try {
            T value = reader.readValue(Require.nonNull("bytes", bytes));
            if (value == null) {
                throw new IllegalArgumentException("bytes are the JSON of null, which is no value");
            }
            return value;
        } catch (IOException broken) {
            throw new IllegalArgumentException("bytes are not JSON of " + type, broken);
        }
    }

    @Override
    public String toString() {
        return "JSON of " + type;
    }
}
