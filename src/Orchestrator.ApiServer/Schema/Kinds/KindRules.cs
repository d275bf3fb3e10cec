using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>An object whose types are known to be right, and where to say what else is wrong with it.</summary>
/// <param name="Old">As stored before an update; null on create.</param>
internal sealed record KindRuleContext(JsonObject Resource, JsonObject? Old, FieldErrors Errors)
{
    /// <summary>
    /// Whether a part came with this write. A part that did not was accepted before: a rule that is new since then must not keep
    /// its status or its finalizers from being written.
    /// </summary>
    public bool IsNew(string member) => Old is null || !JsonNode.DeepEquals(Old[member], Resource[member]);
}

/// <summary>What a schema cannot say of a kind: rules between fields, and between an object and what it was.</summary>
internal static class KindRules
{
    private static readonly FrozenDictionary<(string Group, string Kind), Action<KindRuleContext>> Rules =
        new Dictionary<(string Group, string Kind), Action<KindRuleContext>>
        {
            [("orchestrator.dev", "WebApp")] = WebAppRules.Check,
            [("orchestrator.dev", "Replica")] = ReplicaRules.Check,
            [("orchestrator.dev", "DockerHost")] = DockerHostRules.Check,
            [("", "Secret")] = SecretRules.Check,
            [("", "ConfigMap")] = ConfigMapRules.Check,
            [("", "Event")] = EventRules.Check,
            [("coordination.k8s.io", "Lease")] = LeaseRules.Check,
            [("apps", "ControllerRevision")] = ControllerRevisionRules.Check,
            [("apiextensions.k8s.io", "CustomResourceDefinition")] = CustomResourceDefinitionRules.Check,
        }.ToFrozenDictionary();

    /// <summary>Of an object that scales: why nobody may scale it; null when anybody may.</summary>
    public static FieldError? WhyNotScaled(string group, string kind, JsonObject obj) =>
        (group, kind) == ("orchestrator.dev", "WebApp") ? AutoscalingRules.WhyNotScaled(obj) : null;

    public static Action<KindRuleContext>? Find(string group, string kind) => Rules.GetValueOrDefault((group, kind));
}
