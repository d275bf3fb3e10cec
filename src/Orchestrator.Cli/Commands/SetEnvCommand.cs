using System.CommandLine;
using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Commands;

/// <summary>Sets, removes and shows the environment variables of an app; the others stay, and their order.</summary>
internal sealed class SetEnvCommand : TemplateChangeCommand, IHasExamples
{
    private readonly Argument<EnvChange[]> _changes = new("CHANGE")
    {
        HelpName = "KEY=VALUE|KEY-",
        Description = "KEY=VALUE sets a variable, KEY- removes it.",
        Arity = ArgumentArity.ZeroOrMore,
        CustomParser = EnvChange.Parse,
    };

    private readonly Option<bool> _list = new("--list") { Description = "Only show the variables." };

    public SetEnvCommand()
        : base("env", "Set or remove environment variables of an app.", "env updated")
    {
        Arguments.Add(_changes);
        Options.Add(_list);
        Validators.Add(result =>
        {
            if (result.GetValue(_list) == result.GetResult(_changes)?.Tokens.Count > 0)
            {
                result.AddError("say what to change with KEY=VALUE or KEY-, or that you only look with --list");
            }
        });
    }

    public IReadOnlyList<string> Examples => ["orc set env web LOG_LEVEL=debug FEATURE_X-", "orc set env web --list", "orc set env web MODE=fast --wait"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        if (!line.GetValue(_list))
        {
            return await base.RunAsync(line, session, cancellationToken);
        }

        var app = await AppArgument.FindAsync(line.GetValue(App)!, session, cancellationToken);
        var live = await session.Api.GetAsync(app.Kind.Path(app.Namespace, app.Name), cancellationToken);
        foreach (var variable in live["spec"]?["env"] as JsonArray ?? [])
        {
            session.Terminal.Out.WriteLine(Show(variable));
        }

        return ExitCodes.Done;
    }

    /// <summary>One that comes from elsewhere as kubectl shows it: as a comment, since it cannot be set like this.</summary>
    private static string Show(JsonNode? variable)
    {
        var from = variable?["valueFrom"];
        var (kind, reference) = from?["secretKeyRef"] is { } secret ? ("secret", secret) : ("configmap", from?["configMapKeyRef"]);
        return reference is null
            ? $"{(string?)variable?["name"]}={(string?)variable?["value"]}"
            : $"# {(string?)variable?["name"]} from {kind} {(string?)reference["name"]}, key {(string?)reference["key"]}";
    }

    protected override void Change(ParseResult line, JsonObject template)
    {
        var env = template["env"] as JsonArray ?? [];
        foreach (var (name, value) in line.GetValue(_changes)!)
        {
            var known = env.FirstOrDefault(variable => (string?)variable?["name"] == name);
            if (value is null)
            {
                env.Remove(known);
            }
            else if (known is not null)
            {
                known["value"] = value;
                known.AsObject().Remove("valueFrom");
            }
            else
            {
                env.Add(new JsonObject { ["name"] = name, ["value"] = value });
            }
        }

        // No variables and an empty list of them would be two revisions.
        if (env.Count == 0)
        {
            template.Remove("env");
        }
        else if (env.Parent is null)
        {
            template["env"] = env;
        }
    }
}
