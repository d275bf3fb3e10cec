using System.Text.Json.Serialization;
using k8s.Models;
using Orchestrator.Api.Contents;

namespace Orchestrator.Api;

/// <summary>
/// What makes a container. Its hash is the revision (<see cref="RevisionHash"/>): two replicas of one revision are
/// interchangeable. Fields shared with Kubernetes' Container and PodSpec have their names, meaning and defaults.
/// </summary>
public class ReplicaTemplate
{
    /// <summary>Seconds. Kubernetes' default.</summary>
    public const int DefaultTerminationGracePeriodSeconds = 30;

    /// <summary>Seconds. Long enough for a page and its assets, short enough that an idle stream does not hold a rollout.</summary>
    public const int DefaultDrainTimeoutSeconds = 30;

    public const int DefaultPort = 8080;

    /// <summary>Image reference, <c>[registry/]name[:tag][@digest]</c>.</summary>
    [JsonPropertyName("image")]
    public string Image { get; set; } = "";

    /// <summary><c>Always</c>, <c>IfNotPresent</c> or <c>Never</c>; see <see cref="EffectivePullPolicy"/>.</summary>
    [JsonPropertyName("imagePullPolicy")]
    public string? ImagePullPolicy { get; set; }

    /// <summary>Secrets of type <c>kubernetes.io/dockerconfigjson</c> in the app's namespace.</summary>
    [JsonPropertyName("imagePullSecrets")]
    public IList<V1LocalObjectReference>? ImagePullSecrets { get; set; }

    /// <summary>Replaces the image's entrypoint.</summary>
    [JsonPropertyName("command")]
    public IList<string>? Command { get; set; }

    /// <summary>Replaces the image's command.</summary>
    [JsonPropertyName("args")]
    public IList<string>? Args { get; set; }

    [JsonPropertyName("env")]
    public IList<EnvironmentVariable>? Env { get; set; }

    /// <summary>Of one name, the last of these counts, and <see cref="Env"/> goes before all.</summary>
    [JsonPropertyName("envFrom")]
    public IList<EnvironmentSource>? EnvFrom { get; set; }

    [JsonPropertyName("files")]
    public IList<FileMount>? Files { get; set; }

    /// <summary>
    /// Hash of what the references held, those that roll on a change: the same template with other content is another revision. Null
    /// where nothing counts, and in a WebApp, whose user writes references alone.
    /// </summary>
    [JsonPropertyName("contentHash")]
    public virtual string? ContentHash { get; set; }

    /// <summary>The TCP port the container listens on; also its variable <c>PORT</c>.</summary>
    [JsonPropertyName("port")]
    public int? Port { get; set; }

    /// <summary>Requests are what the scheduler counts; limits are what the engine enforces. Keys <c>cpu</c>, <c>memory</c>.</summary>
    [JsonPropertyName("resources")]
    public ResourceNeeds? Resources { get; set; }

    [JsonPropertyName("readinessProbe")]
    public V1Probe? ReadinessProbe { get; set; }

    [JsonPropertyName("livenessProbe")]
    public V1Probe? LivenessProbe { get; set; }

    /// <summary>Until it passes, the other two are not made, and the replica is not ready.</summary>
    [JsonPropertyName("startupProbe")]
    public V1Probe? StartupProbe { get; set; }

    /// <summary>Hooks: after each start of the container, before each stop. Each is one of exec, httpGet and sleep.</summary>
    [JsonPropertyName("lifecycle")]
    public V1Lifecycle? Lifecycle { get; set; }

    /// <summary>Seconds between the stop signal and the kill; a preStop hook takes from them.</summary>
    [JsonPropertyName("terminationGracePeriodSeconds")]
    public int? TerminationGracePeriodSeconds { get; set; }

    /// <summary>Seconds that requests in flight get before the stop signal.</summary>
    [JsonPropertyName("drainTimeoutSeconds")]
    public int? DrainTimeoutSeconds { get; set; }

    /// <summary>When a restart was last asked for, RFC 3339: the same template with another value is another revision.</summary>
    [JsonPropertyName("restartedAt")]
    public string? RestartedAt { get; set; }

    [JsonIgnore]
    public int EffectivePort => Port ?? DefaultPort;

    /// <summary>As in Kubernetes: an image without a tag, or with <c>latest</c>, is pulled always, any other if it is not there.</summary>
    [JsonIgnore]
    public string EffectivePullPolicy => ImagePullPolicy
        ?? (ImageReference.Parse(Image) is { Digest: null, Tag: "latest" } ? PullPolicies.Always : PullPolicies.IfNotPresent);

    [JsonIgnore]
    public TimeSpan TerminationGracePeriod =>
        TimeSpan.FromSeconds(TerminationGracePeriodSeconds ?? DefaultTerminationGracePeriodSeconds);

    [JsonIgnore]
    public TimeSpan DrainTimeout => TimeSpan.FromSeconds(DrainTimeoutSeconds ?? DefaultDrainTimeoutSeconds);

    /// <summary>Every reference to a ConfigMap or Secret, and what it refers to.</summary>
    [JsonIgnore]
    public IEnumerable<(ContentObject Object, IContentReference Reference)> References =>
    [
        .. (EnvFrom ?? []).SelectMany(source => Of(source.ConfigMapRef, source.SecretRef)),
        .. (Env ?? []).SelectMany(variable => Of(variable.ValueFrom?.ConfigMapKeyRef, variable.ValueFrom?.SecretKeyRef)),
        .. (Files ?? []).SelectMany(files => Of(files.ConfigMap, files.Secret)),
    ];

    /// <summary>Whether a container of it cannot be made without its revision's content (<see cref="RevisionContent"/>).</summary>
    [JsonIgnore]
    public bool HasReferences => References.Any();

    /// <summary>The same for some content.</summary>
    /// <param name="contentHash">Null: none that counts.</param>
    public ReplicaTemplate ToTemplate(string? contentHash)
    {
        var template = ToTemplate();
        template.ContentHash = contentHash;
        return template;
    }

    /// <summary>The template alone, without what a derived spec adds to it. Shares its parts: treat both as read-only.</summary>
    public ReplicaTemplate ToTemplate() => new()
    {
        Image = Image,
        ImagePullPolicy = ImagePullPolicy,
        ImagePullSecrets = ImagePullSecrets,
        Command = Command,
        Args = Args,
        Env = Env,
        Port = Port,
        Resources = Resources,
        ReadinessProbe = ReadinessProbe,
        LivenessProbe = LivenessProbe,
        StartupProbe = StartupProbe,
        Lifecycle = Lifecycle,
        TerminationGracePeriodSeconds = TerminationGracePeriodSeconds,
        DrainTimeoutSeconds = DrainTimeoutSeconds,
        RestartedAt = RestartedAt,
        EnvFrom = EnvFrom,
        Files = Files,
        ContentHash = ContentHash,
    };

    private static IEnumerable<(ContentObject, IContentReference)> Of(IContentReference? configMap, IContentReference? secret)
    {
        if (configMap is not null)
        {
            yield return (new(ContentKind.ConfigMap, configMap.Name), configMap);
        }

        if (secret is not null)
        {
            yield return (new(ContentKind.Secret, secret.Name), secret);
        }
    }
}

/// <summary>Values of <see cref="ReplicaTemplate.ImagePullPolicy"/>.</summary>
public static class PullPolicies
{
    public const string Always = "Always";
    public const string IfNotPresent = "IfNotPresent";
    public const string Never = "Never";
}
