using System.CommandLine;
using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Commands;

/// <summary>Sets the image that an app's replicas run.</summary>
internal sealed class SetImageCommand : TemplateChangeCommand, IHasExamples
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "Image reference, such as registry.example.org/web:v2." };

    public SetImageCommand()
        : base("image", "Set the image of an app.", "image updated") => Arguments.Add(_image);

    public IReadOnlyList<string> Examples => ["orc set image web registry.example.org/web:v2", "orc set image web web:v2 --wait"];

    protected override void Change(ParseResult line, JsonObject template) => template["image"] = line.GetValue(_image);
}
