using System.Text.Json.Serialization;

namespace Orchestrator.Api.Contents;

/// <summary>
/// A folder of the container whose files are keys of a ConfigMap or Secret: Kubernetes' volume and volumeMount in one, since an app
/// has one container. Exactly one source.
/// </summary>
public sealed class FileMount
{
    /// <summary>Kubernetes' default: owner writes, all read.</summary>
    public const int StandardMode = 0x1A4;

    /// <summary>Absolute, not <c>/</c>; what the image has there is hidden.</summary>
    [JsonPropertyName("mountPath")]
    public string MountPath { get; set; } = "";

    [JsonPropertyName("configMap")]
    public FileSource? ConfigMap { get; set; }

    [JsonPropertyName("secret")]
    public FileSource? Secret { get; set; }

    /// <summary>Permission bits of files that say none themselves. Default <see cref="StandardMode"/>, which is 0644.</summary>
    [JsonPropertyName("defaultMode")]
    public int? DefaultMode { get; set; }
}

/// <summary>Which keys become which files.</summary>
public sealed class FileSource : IContentReference
{
    [JsonPropertyName("name")]
    public string Name { get; set; } = "";

    /// <inheritdoc/>
    [JsonPropertyName("optional")]
    public bool? Optional { get; set; }

    /// <summary>Absent: every key is a file of its name.</summary>
    [JsonPropertyName("items")]
    public IList<FileItem>? Items { get; set; }

    /// <inheritdoc/>
    [JsonPropertyName("rollOnChange")]
    public bool? RollOnChange { get; set; }
}

/// <summary>One key as one file.</summary>
public sealed class FileItem
{
    [JsonPropertyName("key")]
    public string Key { get; set; } = "";

    /// <summary>Below the mount path; may have folders, none of them <c>..</c>.</summary>
    [JsonPropertyName("path")]
    public string Path { get; set; } = "";

    /// <summary>Permission bits. Default: <see cref="FileMount.DefaultMode"/>.</summary>
    [JsonPropertyName("mode")]
    public int? Mode { get; set; }
}
