using System.Text.Json.Nodes;
using Orchestrator.Api;

namespace Orchestrator.ApiServer.Objects;

/// <summary>What is special about Namespaces: their finalizer in spec, their phase, and those that always exist.</summary>
internal static class NamespaceRules
{
    /// <summary>In <c>spec.finalizers</c>: the server has still to empty the namespace.</summary>
    public const string Finalizer = "kubernetes";

    private const string NameLabel = "kubernetes.io/metadata.name";

    /// <summary>Exist from the first start and cannot be deleted.</summary>
    public static IReadOnlyList<string> Permanent { get; } = ["default", "kube-system", ApiGroup.SystemNamespace, ApiGroup.ProxyNamespace];

    public static bool IsPermanent(string name) => Permanent.Contains(name);

    /// <summary>Completes a new namespace.</summary>
    public static void Activate(JsonObject obj)
    {
        obj["spec"] = new JsonObject { ["finalizers"] = new JsonArray(Finalizer) };
        obj["status"] = new JsonObject { ["phase"] = "Active" };
    }

    /// <summary>By this label, which says the name after every write, selectors pick namespaces by name.</summary>
    public static void Label(JsonObject obj, string name)
    {
        var metadata = Metadata.Of(obj);
        if (metadata["labels"] is not JsonObject labels)
        {
            metadata["labels"] = labels = [];
        }

        labels[NameLabel] = name;
    }

    public static void Terminate(JsonObject obj) => obj["status"] = new JsonObject { ["phase"] = "Terminating" };

    public static bool HoldsBack(JsonObject obj) => Metadata.Texts((obj["spec"] as JsonObject)?["finalizers"]).Count > 0;
}
