using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Commands;

/// <summary>Sets what the scheduler reserves for a replica, and what the engine lets it have; what is not named stays.</summary>
internal sealed class SetResourcesCommand : TemplateChangeCommand, IHasExamples
{
    private readonly Option<Dictionary<string, string>> _requests = Quantities("--requests", "What is reserved for a replica on its host, such as cpu=100m,memory=64Mi.");
    private readonly Option<Dictionary<string, string>> _limits = Quantities("--limits", "What a replica gets at most, such as memory=256Mi.");

    public SetResourcesCommand()
        : base("resources", "Set requests and limits of an app's replicas.", "resources updated")
    {
        Options.Add(_requests);
        Options.Add(_limits);
        Validators.Add(result =>
        {
            if (result.GetResult(_requests) is null && result.GetResult(_limits) is null)
            {
                result.AddError("say what to set, with --requests or --limits");
            }
        });
    }

    public IReadOnlyList<string> Examples =>
    [
        "orc set resources web --requests cpu=100m,memory=64Mi --limits memory=256Mi",
        "orc set resources web --limits cpu=",
    ];

    protected override void Change(ParseResult line, JsonObject template)
    {
        var resources = template["resources"] as JsonObject ?? [];
        template.Remove("resources");
        Set(resources, "requests", line.GetValue(_requests));
        Set(resources, "limits", line.GetValue(_limits));
        if (resources.Count > 0)
        {
            template["resources"] = resources;
        }
    }

    /// <summary>Nothing asked for and a map that asks for nothing would be two revisions: the empty one goes.</summary>
    private static void Set(JsonObject resources, string part, Dictionary<string, string>? changes)
    {
        var quantities = resources[part] as JsonObject ?? [];
        resources.Remove(part);
        foreach (var (resource, quantity) in changes ?? [])
        {
            if (quantity.Length > 0)
            {
                quantities[resource] = quantity;
            }
            else
            {
                quantities.Remove(resource);
            }
        }

        if (quantities.Count > 0)
        {
            resources[part] = quantities;
        }
    }

    private static Option<Dictionary<string, string>> Quantities(string name, string description) => new(name)
    {
        Description = description + " A resource without a quantity (cpu=) is taken out.",
        HelpName = "RESOURCE=QUANTITY,…",
        CustomParser = Parse,
    };

    private static Dictionary<string, string> Parse(ArgumentResult result)
    {
        var found = new Dictionary<string, string>();
        foreach (var word in result.Tokens.SelectMany(token => token.Value.Split(',')))
        {
            if (word.Split('=') is not [{ Length: > 0 } resource, var quantity])
            {
                result.AddError($"\"{word}\" is not RESOURCE=QUANTITY, such as cpu=100m");
            }
            else if (!found.TryAdd(resource, quantity))
            {
                result.AddError($"{resource} is there twice");
            }
        }

        return found;
    }
}
