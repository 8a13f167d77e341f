using System.CommandLine;
using System.CommandLine.Parsing;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Features;
using JepaSharp.Cli.Reports;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Neighbours;

/// <summary>Images and their features: of an encoder that is opened, or of a file of embeddings.</summary>
/// <param name="Source">The images; owned.</param>
/// <param name="Features">Those of the images that could be read.</param>
/// <param name="Session">The encoder; owned. Null with a file.</param>
/// <param name="Stored">The file; null with an encoder.</param>
/// <param name="Words">Whose features they are.</param>
internal sealed record NeighbourInput(
    ImageSource Source, PooledFeatures Features, FeatureSession? Session, StoredEmbeddings? Stored, string Words) : IDisposable
{
    /// <summary>The images of a file of embeddings.</summary>
    public EmbeddedImages? Embedded => Source as EmbeddedImages;

    /// <summary>Where the images were opened.</summary>
    public string Address { get; init; } = "";

    /// <summary>What ends with them.</summary>
    public List<IDisposable> Owned { get; } = [];

    /// <summary>How many images of a file are not at hand, and what to do.</summary>
    public static string NotFound(EmbeddedImages images)
    {
        var missing = images.Count - images.Found;
        return $"{(missing == images.Count ? "None" : $"{missing:n0}")} of the {Quantity.Of(images.Count, "image")} {(missing == images.Count
            ? "is found under its name" : "are not found under their names")}: give the set that was embedded with --data.";
    }

    public void Dispose()
    {
        foreach (var owned in Owned) owned.Dispose();
        Session?.Dispose();
        Source.Dispose();
    }
}

/// <summary>The options that say which images and which features: <c>--weights</c> and <c>--data</c>, or <c>--embeddings</c>.</summary>
internal sealed class NeighbourArguments
{
    private readonly FeatureArguments _features = new(required: false);
    private readonly Option<string?> _data = new("--data")
    {
        Description = "The images: a folder, a list, an archive or a data set. With --embeddings the set that they were made of, for pictures.",
        HelpName = "PATH",
    };
    private readonly Option<string?> _embeddings = new("--embeddings")
    {
        Description = "A file that 'jepa embed' wrote, in place of --weights: nothing is embedded again.",
        HelpName = "FILE",
    };

    /// <summary>Adds those that say which images.</summary>
    public void AddImagesTo(Command verb)
    {
        verb.Add(_data);
        verb.Add(_embeddings);
        verb.Validators.Add(Require);
    }

    /// <summary>Adds those that say which features.</summary>
    public void AddFeaturesTo(Command verb) => _features.AddTo(verb);

    /// <summary>The file that was given; null for none.</summary>
    public string? EmbeddingsOf(ParseResult arguments) => arguments.GetValue(_embeddings);

    /// <summary>Opens images and features.</summary>
    /// <exception cref="JepaException">Something is missing, damaged, or does not fit.</exception>
    public NeighbourInput Open(ParseResult arguments, Terminal terminal, StopSignals stop, bool squash, string verb) =>
        EmbeddingsOf(arguments) is { } file
            ? OfFile(file, arguments, terminal, verb)
            : OfImages(arguments.GetValue(_data)!, arguments, terminal, stop, squash, verb);

    private NeighbourInput OfFile(string file, ParseResult arguments, Terminal terminal, string verb)
    {
        _features.BoundMemory(arguments);
        var stored = StoredEmbeddings.Read(file);
        var words = $"embeddings of {stored.Path}";
        terminal.Error.WriteLine(
            $"{verb}: {words}, {Quantity.Of(stored.Features.Rows, "image")} of {Quantity.Of(stored.Features.Width, "number")} each");
        var data = arguments.GetValue(_data);
        var images = data is null ? null : ImageSources.Open(data);
        var source = new EmbeddedImages(stored, images);
        try
        {
            if (images is not null && source.Found == 0)
                throw new JepaException(
                    $"No image of {images.Description} has a name that is in {stored.Path}: a name there looks like {images.NameOf(0)}, here like "
                        + $"{stored.Names[0]}. Give --data the set that was embedded.", isUsage: true);
            return new NeighbourInput(source, new PooledFeatures(stored.Features, [.. Enumerable.Range(0, source.Count)]), null, stored, words);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private NeighbourInput OfImages(string address, ParseResult arguments, Terminal terminal, StopSignals stop, bool squash, string verb)
    {
        var source = ImageSources.Open(address);
        FeatureSession? session = null;
        try
        {
            SourceNotes.Print(source, terminal);
            session = _features.Open(arguments, terminal, stop, squash);
            terminal.Error.WriteLine($"{verb}: {session.Words}");
            return new NeighbourInput(source, session.Of(source, address), session, null, session.Words) { Address = address };
        }
        catch
        {
            session?.Dispose();
            source.Dispose();
            throw;
        }
    }

    private void Require(CommandResult result)
    {
        bool IsGiven(Option option) => result.GetResult(option) is { Implicit: false };
        if (!IsGiven(_embeddings))
        {
            foreach (var option in (Option[])[_features.Weights.Options[0], _data])
                if (!IsGiven(option)) result.AddError($"Option '{option.Name}' is required, or --embeddings FILE that 'jepa embed' wrote.");
        }
        else if (_features.OfMaking.FirstOrDefault(IsGiven) is { } given)
        {
            result.AddError($"{given.Name} means nothing with --embeddings, whose features are made: leave one of them out.");
        }
    }
}
