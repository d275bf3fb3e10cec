using System.Text.Json.Serialization;

namespace Orchestrator.Api.Contents;

/// <summary>Kubernetes' EnvVar, as far as it goes here: a literal value, or a key of a ConfigMap or Secret.</summary>
public sealed class EnvironmentVariable
{
    [JsonPropertyName("name")]
    public string Name { get; set; } = "";

    /// <summary>Taken literally. Absent with <see cref="ValueFrom"/>.</summary>
    [JsonPropertyName("value")]
    public string? Value { get; set; }

    [JsonPropertyName("valueFrom")]
    public VariableSource? ValueFrom { get; set; }
}

/// <summary>Where a variable's value comes from; exactly one of them.</summary>
public sealed class VariableSource
{
    [JsonPropertyName("configMapKeyRef")]
    public KeyReference? ConfigMapKeyRef { get; set; }

    [JsonPropertyName("secretKeyRef")]
    public KeyReference? SecretKeyRef { get; set; }
}

/// <summary>One key of a ConfigMap or Secret of the app's namespace.</summary>
public sealed class KeyReference : IContentReference
{
    [JsonPropertyName("name")]
    public string Name { get; set; } = "";

    [JsonPropertyName("key")]
    public string Key { get; set; } = "";

    /// <inheritdoc/>
    [JsonPropertyName("optional")]
    public bool? Optional { get; set; }

    /// <inheritdoc/>
    [JsonPropertyName("rollOnChange")]
    public bool? RollOnChange { get; set; }
}

/// <summary>Kubernetes' EnvFromSource: every key of a ConfigMap or Secret becomes a variable. Exactly one of the two.</summary>
public sealed class EnvironmentSource
{
    /// <summary>Before each key.</summary>
    [JsonPropertyName("prefix")]
    public string? Prefix { get; set; }

    [JsonPropertyName("configMapRef")]
    public ContentReference? ConfigMapRef { get; set; }

    [JsonPropertyName("secretRef")]
    public ContentReference? SecretRef { get; set; }
}
