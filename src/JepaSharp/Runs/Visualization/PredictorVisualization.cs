using System.Globalization;
using JepaSharp.Data.Sources;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Runs.Visualization;

/// <summary>What the predictor knows, as pictures: figure 6 of the I-JEPA paper. Trains decoders where there are none, draws, and measures.</summary>
/// <remarks>
/// One decoder for each source that something is drawn from, of the same size, on the same blocks, for the same steps: the predictor's, which draws
/// what the predictor says of the block and, as a control, what it says of another; the target encoder's; and, where claims are measured, the context
/// encoder's and that of untrained networks. Everything is kept as it comes, so that a stop at any time loses nothing.
/// </remarks>
public sealed class PredictorVisualization : IDisposable
{
    private const int FewestImages = 200, MostPairs = 20_000, MasksAnImage = 8, FewestPairs = 1024, GlanceBlocks = 64, LargestHeldOut = 512;
    private const int FewestSteps = 10;
    private const decimal HeldOut = 0.1m;
    private const double ShareOfPreparation = 1.0 / 3;

    private readonly VisualizationRequest _request;
    private readonly FrozenJepa _jepa;
    private readonly OutputLock _lock;
    private readonly ImageSource _train, _test;
    private readonly Device _device;
    private DecoderFacts _facts;

    private PredictorVisualization(
        VisualizationRequest request, FrozenJepa jepa, OutputLock @lock, (ImageSource Train, ImageSource Test) images, DecoderFacts facts)
    {
        (_request, _jepa, _lock, _facts) = (request, jepa, @lock, facts);
        (_train, _test, _device) = (images.Train, images.Test, request.Device ?? CPU);
    }

    /// <summary>Where decoders, pictures and page are kept.</summary>
    public string Folder { get; private init; } = "";

    /// <summary>What was found, chosen and guessed, a sentence each.</summary>
    public IReadOnlyList<string> Opening { get; private init; } = [];

    /// <summary>Opens weights, images and folder; whatever does not do is refused here, before anything is trained.</summary>
    /// <param name="request">What is to be drawn.</param>
    /// <exception cref="JepaException">No predictor in the weights, too few images, or decoders of something else in the folder.</exception>
    public static PredictorVisualization Open(VisualizationRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = request with { Data = SourceAddress.Whole(request.Data) };
        FrozenJepa jepa;
        List<string> opening = [];
        using (var weights = PretrainedWeights.Open(request.Weights, request.Heads))
        {
            if (weights.Heads is null)
                throw new JepaException($"{weights.Path} does not say how many attention heads its encoder has. Give it: --heads N.", isUsage: true);
            jepa = PretrainPlan.OpenJepa(weights, request.Device ?? CPU);
            if (weights.Normalization is null)
                opening.Add("note: the weights do not say how pixels were normalised: ImageNet's mean and deviation are used");
        }

        try
        {
            var shape = jepa.Shape;
            if (shape.ImageHeight != shape.ImageWidth)
                throw new JepaException(
                    $"{jepa.Name} sees images of {shape.ImageHeight}x{shape.ImageWidth} pixels; expected square ones.", isUsage: true);
            _ = PretrainPlan.MasksFor(shape);
            var images = Split(request, opening);
            var folder = Path.GetFullPath(request.Folder ?? BesideTheWeights(request.Weights));
            var facts = new DecoderFacts(
                jepa.Fingerprint, jepa.Name, shape.ImageHeight, shape.PatchSize, request.Size,
                string.Create(CultureInfo.InvariantCulture, $"{images.Train.Count} of {request.Data}"), 0, null, request.Seed);
            // Before the lock: a mistake must not leave a folder behind.
            if (DecoderFacts.Read(folder) is { } there)
            {
                there.RequireSame(facts, folder);
                facts = there;
            }

            var held = OutputLock.Beside(folder, "drawing into", makeFolder: true);
            opening.Insert(0, string.Create(CultureInfo.InvariantCulture,
                $"frozen: {jepa.Name}, {shape.Width} wide, patches of {shape.PatchSize} in {shape.ImageHeight} pixels, fingerprint "
                    + $"{jepa.Fingerprint[..12]}"));
            opening.Add(string.Create(CultureInfo.InvariantCulture,
                $"decoders learn from {images.Train.Count:n0} images; drawn are others, {images.Test.Count:n0} of them at hand"));
            return new PredictorVisualization(request, jepa, held, images, facts) { Folder = folder, Opening = opening };
        }
        catch
        {
            jepa.Dispose();
            throw;
        }
    }

    /// <summary>Trains what is missing, draws and measures.</summary>
    /// <param name="listener">Is told how it goes.</param>
    /// <param name="stop">Stops where nothing is lost.</param>
    /// <exception cref="OperationCanceledException">It was stopped; the same call goes on.</exception>
    /// <exception cref="JepaException">Something cannot be read or written.</exception>
    public VisualizationResult Run(IVisualizationListener listener, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(listener);
        Directory.CreateDirectory(Folder);
        List<BlockSource> wanted = [BlockSource.Predictor, BlockSource.Target];
        if (_request.Blocks is not null) wanted.AddRange([BlockSource.Context, BlockSource.Untrained]);
        using var untrained = wanted.Contains(BlockSource.Untrained) ? BlockPreparation.UntrainedLike(_jepa, (ulong)_request.Seed, _device) : null;
        using var preparation = new BlockPreparation(_jepa, untrained, _request.Size, (ulong)_request.Seed, _device);
        var store = new PairStore(Path.Combine(Folder, "pairs"), _jepa.Fingerprint);
        Prepare(store, preparation, wanted, listener, stop);
        var run = new DecoderRun(_jepa, store, _facts, _device);
        if (_facts.Steps is null)
        {
            var seconds = run.StepSeconds();
            _facts = _facts with { Steps = Math.Max(FewestSteps, (int)(60 * _request.Minutes / seconds)) };
            _facts.Write(Folder);
            run = new DecoderRun(_jepa, store, _facts, _device);
            listener.Say(string.Create(CultureInfo.InvariantCulture,
                $"decoders: {_facts.Steps:n0} steps each, about {seconds:0.00} s a step here: {_request.Minutes:0.#} minutes each, "
                    + $"{wanted.Count} of them"));
        }

        using var decoders = new Decoders();
        using var page = new VisualizationPage(Folder, _request.Samples, _facts);
        using var tested = Tested(preparation, wanted, stop);
        var drawing = new DrawingMeasurement(_request.Samples, _request.Size, (ulong)_request.Seed, _device);
        VisualizationResult? result = null;
        foreach (var who in wanted)
        {
            var observer = listener.Training($"the decoder of {VisualizationWords.TitleOf(who)}");
            decoders.Add(who, run.Trained(who, Path.Combine(Folder, "decoders", NameOf(who)), _request.Data, observer, stop));
            page.Numbers.Gains[who] = RcdmMeasures.Gains(
                decoders[who], tested.Pictures, tested.Conditions[who], (ulong)_request.Seed, stop);
            // Something to look at as soon as there is something.
            if (who is not (BlockSource.Predictor or BlockSource.Target)) continue;
            page.Drawn[who] = Figure(decoders[who], tested, who, drawing, listener, stop);
            result = page.Write(tested);
        }

        if (_request.Blocks is null) return result!;
        Measure(page, decoders, tested, preparation, store, drawing, listener, stop);
        return page.Write(tested);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _jepa.Dispose();
        _lock.Dispose();
    }

    /// <summary>A folder for them: in a run, or beside a file.</summary>
    private static string BesideTheWeights(string weights)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(weights));
        if (Directory.Exists(full)) return Path.Combine(full, "visualize");
        var name = Path.GetFileName(full);
        return Path.Combine(Path.GetDirectoryName(full)!, name.Split('.')[0] + "-visualize");
    }

    private static string NameOf(BlockSource who) => who.ToString().ToLowerInvariant();

    /// <summary>The images that decoders learn from, and others.</summary>
    private static (ImageSource Train, ImageSource Test) Split(VisualizationRequest request, List<string> opening)
    {
        var (train, test) = (request.Source, request.Test);
        if (test is null)
        {
            if (request.Source.Count < FewestImages) throw TooFew(request.Source);
            var share = Math.Min(HeldOut, Math.Round(LargestHeldOut / (decimal)request.Source.Count, 6));
            (train, test) = (
                HeldOutShare.OfPart(request.Source, share, heldOut: false), HeldOutShare.OfPart(request.Source, share, heldOut: true));
            opening.Add(string.Create(CultureInfo.InvariantCulture,
                $"chosen: {test.Count:n0} of the images, by their names, are held out to be drawn (--test gives others)"));
        }

        if (train.Count < FewestImages) throw TooFew(train);
        var least = Math.Max(2, Math.Max(request.Images, request.Blocks ?? 0));
        return test.Count >= least
            ? (train, test)
            : throw new JepaException(string.Create(CultureInfo.InvariantCulture,
                $"There are {Quantity.Of(test.Count, "image")} to draw, and {least:n0} are asked for (--images, --blocks). Give more with --test, or "
                    + $"ask for fewer."), isUsage: true);

        static JepaException TooFew(ImageSource source) => new(string.Create(CultureInfo.InvariantCulture,
            $"{source.Description} holds {Quantity.Of(source.Count, "image")}; a decoder learns from at least {FewestImages}, and well from "
                + $"thousands. Give more with --data."), isUsage: true);
    }

    /// <summary>Asks the frozen networks once, of as many blocks as a share of the time allows.</summary>
    private void Prepare(
        PairStore store, BlockPreparation preparation, List<BlockSource> wanted, IVisualizationListener listener, CancellationToken stop)
    {
        if (_facts.Pairs == 0)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            using (preparation.Of(_train, [.. Enumerable.Range(0, BlockPreparation.Batch)], 0, PairStore.Together, stop: stop)) clock.Stop();
            var most = Math.Min(MostPairs, (long)MasksAnImage * _train.Count);
            var rate = BlockPreparation.Batch / clock.Elapsed.TotalSeconds;
            var pairs = (int)Math.Clamp(rate * 60 * _request.Minutes * ShareOfPreparation, Math.Min(FewestPairs, most), most);
            _facts = _facts with { Pairs = pairs };
            _facts.Write(Folder);
            listener.Say(string.Create(CultureInfo.InvariantCulture,
                $"the frozen networks are asked once of {pairs:n0} blocks ({(double)pairs / _train.Count:0.0} an image), about "
                    + $"{pairs / rate / 60:0.0} minutes: no step of a decoder runs them"));
        }

        var progress = listener.Begin("asking the frozen networks", "blocks", _facts.Pairs);
        store.Complete(preparation, _train, _facts.Pairs, (ulong)_request.Seed, PairStore.Together, progress, stop);
        if (wanted.Contains(BlockSource.Untrained))
            store.Complete(preparation, _train, _facts.Pairs, (ulong)_request.Seed, [BlockSource.Untrained], progress, stop);
        (progress as IDisposable)?.Dispose();
    }

    /// <summary>Blocks of images that no decoder learns from: of labelled ones the first of each class in turn, by name; else the first by
    /// name.</summary>
    private PreparedBlocks Tested(BlockPreparation preparation, List<BlockSource> wanted, CancellationToken stop)
    {
        var byName = Enumerable.Range(0, _test.Count).OrderBy(_test.NameOf, StringComparer.Ordinal).ToList();
        var turns = new Dictionary<int, int>();
        var ordered = byName.Select((index, place) =>
        {
            var label = _test.LabelOf(index) ?? -1;
            var turn = turns[label] = turns.GetValueOrDefault(label) + 1;
            return (Index: index, Turn: label < 0 ? 0 : turn, Place: place);
        }).OrderBy(i => i.Turn).ThenBy(i => i.Place).Select(i => i.Index);
        var count = Math.Min(_test.Count, Math.Max(_request.Images, _request.Blocks ?? GlanceBlocks));
        List<BlockSource> asked = [.. wanted];
        if (_request.Blocks is not null) asked.Add(BlockSource.WrongPosition);
        // Masks that training never draws.
        var prepared = preparation.Of(_test, [.. ordered.Take(count)], key: long.MinValue / 2, asked, show: true, stop: stop);
        return prepared.Count >= 2 ? prepared : throw new JepaException($"Fewer than two of the images to draw in {_test.Description} can be read.");
    }

    private IReadOnlyList<Tensor> Figure(
        Rcdm decoder, PreparedBlocks tested, BlockSource who, DrawingMeasurement drawing, IVisualizationListener listener, CancellationToken stop)
    {
        var shown = Math.Min(_request.Images, tested.Count);
        var progress = listener.Begin("drawing", "pictures", shown * _request.Samples);
        using var rows = tested.Conditions[who].narrow(0, 0, shown);
        using var drawn = drawing.Draw(decoder, rows, progress, 0, stop);
        (progress as IDisposable)?.Dispose();
        return [.. Enumerable.Range(0, shown).Select(i => drawn[i].clone().DetachFromDisposeScope())];
    }

    private void Measure(
        VisualizationPage page, Decoders decoders, PreparedBlocks tested, BlockPreparation preparation, PairStore store, DrawingMeasurement drawing,
        IVisualizationListener listener, CancellationToken stop)
    {
        BlockSource[] sources = [BlockSource.Predictor, BlockSource.WrongPosition, BlockSource.Target, BlockSource.Context, BlockSource.Untrained];
        var (each, done) = (tested.Count * _request.Samples, 0);
        var progress = listener.Begin("drawing", "pictures", sources.Length * each);
        using var training = Training(store);
        using var reading = SceneReading.Over(preparation, _train, _test, tested, (ulong)_request.Seed, stop);
        if (reading is not null) page.Numbers.ReadOfTheBlocks = reading.OfTheBlocks();
        foreach (var who in sources)
        {
            var decoder = decoders[who == BlockSource.WrongPosition ? BlockSource.Predictor : who];
            using var drawn = drawing.Draw(decoder, tested.Conditions[who], progress, done, stop);
            page.Numbers.Measures.Add(drawing.Measure(who, drawn, tested.Pictures.cpu(), training));
            if (reading is not null) page.Numbers.Read[who] = reading.Of(drawn);
            done += each;
        }

        (progress as IDisposable)?.Dispose();
    }

    /// <summary>Some of the pictures that decoders learned from. -> float32 [n, 3, S, S].</summary>
    private Tensor Training(PairStore store)
    {
        using var scope = NewDisposeScope();
        using var images = store.Pictures(Math.Min(_facts.Pairs, 2 * PairStore.InAFile));
        var all = Enumerable.Range(0, images.Count).SelectMany(i => images.Open(i).Decode().Pixels).ToArray();
        var bytes = tensor(all, [images.Count, _request.Size, _request.Size, 3]).to(float32);
        var one = tensor(1f);
        return bytes.Multiply(2 / 255.0).Subtract(one).permute(0, 3, 1, 2).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Decoders, owned.</summary>
    private sealed class Decoders : IDisposable
    {
        private readonly Dictionary<BlockSource, Rcdm> _all = [];

        public Rcdm this[BlockSource who] => _all[who];

        public void Add(BlockSource who, Rcdm decoder) => _all.Add(who, decoder);

        public void Dispose()
        {
            foreach (var decoder in _all.Values) decoder.Dispose();
        }
    }
}
