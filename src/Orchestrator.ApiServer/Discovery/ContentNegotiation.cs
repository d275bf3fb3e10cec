namespace Orchestrator.ApiServer.Discovery;

/// <summary>How an object or a list is shown.</summary>
public enum ObjectForm
{
    /// <summary>As it is.</summary>
    Plain,

    /// <summary>meta.k8s.io Table.</summary>
    Table,

    /// <summary>meta.k8s.io PartialObjectMetadata, or its list.</summary>
    PartialMetadata,
}

/// <summary>A form that was chosen for an answer.</summary>
/// <param name="Version">Of meta.k8s.io for tables and partial metadata: v1 or v1beta1; else empty.</param>
public sealed record ObjectRepresentation(ObjectForm Form, string Version)
{
    public static readonly ObjectRepresentation Plain = new(ObjectForm.Plain, "");
}

/// <summary>How the discovery of a server is shown at <c>/api</c> and <c>/apis</c>.</summary>
public enum DiscoveryForm
{
    /// <summary>APIVersions and APIGroupList: names only, resources at <c>/apis/G/V</c>.</summary>
    Plain,

    AggregatedV2,

    AggregatedV2Beta1,
}

/// <summary>
/// Chooses from an Accept header as Kubernetes does: the first element, most wanted first, that can be answered. Null means 406.
/// </summary>
public static class ContentNegotiation
{
    private const string Json = "application/json";
    private const string Protobuf = "application/vnd.kubernetes.protobuf";
    private const string MetaGroup = "meta.k8s.io";
    private const string DiscoveryGroup = "apidiscovery.k8s.io";

    /// <param name="accept">The header; null accepts everything.</param>
    /// <param name="allowForms">False where an answer has one form only: a Status, a subresource such as scale.</param>
    public static ObjectRepresentation? ForObject(string? accept, bool allowForms = true)
    {
        foreach (var range in MediaRange.Parse(accept))
        {
            if (!IsAnswerable(range))
            {
                continue;
            }

            if (range.Parameter("as") is not { Length: > 0 } form)
            {
                return ObjectRepresentation.Plain;
            }

            if (allowForms && range.Parameter("g") == MetaGroup && range.Parameter("v") is "v1" or "v1beta1" && FormOf(form) is { } chosen)
            {
                return new ObjectRepresentation(chosen, range.Parameter("v")!);
            }
        }

        return null;
    }

    public static DiscoveryForm? ForDiscovery(string? accept)
    {
        foreach (var range in MediaRange.Parse(accept))
        {
            if (!IsAnswerable(range))
            {
                continue;
            }

            switch (range.Parameter("as"), range.Parameter("g"), range.Parameter("v"))
            {
                case (null or "", _, _):
                    return DiscoveryForm.Plain;
                case ("APIGroupDiscoveryList", DiscoveryGroup, "v2"):
                    return DiscoveryForm.AggregatedV2;
                case ("APIGroupDiscoveryList", DiscoveryGroup, "v2beta1"):
                    return DiscoveryForm.AggregatedV2Beta1;
            }
        }

        return null;
    }

    /// <summary>The client goes by this, not by what it asked for.</summary>
    public static string ContentType(DiscoveryForm form) => form switch
    {
        DiscoveryForm.AggregatedV2 => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        DiscoveryForm.AggregatedV2Beta1 => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        _ => Json,
    };

    private static ObjectForm? FormOf(string form) => form switch
    {
        "Table" => ObjectForm.Table,
        "PartialObjectMetadata" or "PartialObjectMetadataList" => ObjectForm.PartialMetadata,
        _ => null,
    };

    /// <summary>
    /// Clients that ask for protobuf alone read JSON as well, by the answer's Content-Type: better than telling them nothing.
    /// </summary>
    private static bool IsAnswerable(MediaRange range) => range.Covers(Json) || range.Type == Protobuf;
}
