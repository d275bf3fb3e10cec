using System.Collections.Frozen;

namespace Orchestrator.ApiServer.Protobuf;

/// <summary>How often a field is there.</summary>
internal enum ProtobufCardinality
{
    /// <summary>Zero means absent.</summary>
    Optional,

    /// <summary>Zero is a value.</summary>
    Pointer,

    Repeated,

    /// <summary>From strings.</summary>
    Map,
}

/// <param name="Name">In JSON, which is the same as in protobuf.</param>
/// <param name="Type">A scalar of protobuf, a built-in one such as Time, or the name of a message.</param>
internal sealed record ProtobufField(int Number, string Name, string Type, ProtobufCardinality Cardinality);

/// <summary>A message of <c>Messages.proto</c>: its fields by number. Immutable.</summary>
internal sealed record ProtobufMessage(string Name, FrozenDictionary<int, ProtobufField> Fields)
{
    private static readonly Lazy<FrozenDictionary<string, ProtobufMessage>> Known = new(Read);

    /// <exception cref="KeyNotFoundException">There is no such message: a mistake in the file.</exception>
    public static ProtobufMessage Get(string name) => Known.Value[name];

    private static FrozenDictionary<string, ProtobufMessage> Read()
    {
        using var stream = typeof(ProtobufMessage).Assembly.GetManifestResourceStream("Messages.proto")
            ?? throw new InvalidOperationException("Messages.proto is not embedded");
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd()).ToFrozenDictionary(message => message.Name, StringComparer.Ordinal);
    }

    private static IEnumerable<ProtobufMessage> Parse(string text)
    {
        var (name, fields) = ("", new List<ProtobufField>());
        foreach (var line in text.Split('\n').Select(line => line.Trim().TrimEnd(';')))
        {
            var words = line.Replace("map<string, ", "map ", StringComparison.Ordinal).Replace(">", "", StringComparison.Ordinal).Split(' ');
            switch (words)
            {
                case ["message", var message, "{"]:
                    (name, fields) = (message, []);
                    break;
                case ["}"]:
                    yield return new ProtobufMessage(name, fields.ToFrozenDictionary(field => field.Number));
                    break;
                case [var cardinality, var type, var field, "=", var number]:
                    fields.Add(new ProtobufField(
                        int.Parse(number, System.Globalization.CultureInfo.InvariantCulture), field, type, Enum.Parse<ProtobufCardinality>(cardinality, ignoreCase: true)));
                    break;
            }
        }
    }
}
