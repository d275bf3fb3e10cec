using System.Text.Json.Serialization;

namespace Orchestrator.Api.Contents;

/// <summary>What all references to a ConfigMap or Secret have.</summary>
public interface IContentReference
{
    /// <summary>Of the object, in the app's namespace.</summary>
    string Name { get; }

    /// <summary>Whether the app runs without the object, or the key. Default false: it waits.</summary>
    bool? Optional { get; }

    /// <summary>Whether a change of the content makes a new revision. Default true.</summary>
    bool? RollOnChange { get; }
}

/// <summary>A whole ConfigMap or Secret.</summary>
public sealed class ContentReference : IContentReference
{
    [JsonPropertyName("name")]
    public string Name { get; set; } = "";

    /// <inheritdoc/>
    [JsonPropertyName("optional")]
    public bool? Optional { get; set; }

    /// <inheritdoc/>
    [JsonPropertyName("rollOnChange")]
    public bool? RollOnChange { get; set; }
}

/// <summary>The two kinds of objects that an app's content comes from.</summary>
public enum ContentKind
{
    ConfigMap,
    Secret,
}

/// <summary>A ConfigMap or Secret in some namespace.</summary>
public readonly record struct ContentObject(ContentKind Kind, string Name)
{
    /// <summary>As people write it: <c>ConfigMap "web"</c>.</summary>
    public override string ToString() => $"{Kind} \"{Name}\"";
}
