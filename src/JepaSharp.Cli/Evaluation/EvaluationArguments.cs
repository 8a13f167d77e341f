using System.CommandLine;
using System.Globalization;
using JepaSharp.Evaluation.Features;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Evaluation;

/// <summary>The options that all tasks of <c>jepa evaluate</c> share.</summary>
internal sealed class EvaluationArguments
{
    private const string Auto = "auto";

    private readonly Option<string> _data = new("--data")
    {
        Description = "Images to fit on: anything that 'jepa inspect' understands.",
        Required = true,
        HelpName = "PATH",
    };
    private readonly Option<string?> _test = new("--test")
    {
        Description = "Images to score on. If not given: the test part that belongs to --data, else a fifth of it, chosen by the images' names.",
        HelpName = "PATH",
    };
    private readonly Option<string?> _out = new("--out")
    {
        Description = "A JSON file with everything needed to repeat the evaluation.",
        HelpName = "FILE.json",
    };
    private readonly Option<string> _features = new("--features")
    {
        Description = "last: patches of the last layer, averaged; last4: of the last four layers, side by side; last4-normed: each of them through "
            + "the final norm, as DINO and iBOT are probed; both: the better of last and last4 on held-out fit data; "
            + "patches: every patch, side by side.",
        HelpName = "WHICH",
    };
    private readonly Option<string> _pool = new("--pool")
    {
        Description = "What stands for an image: mean (its patches averaged), class (the class token), class-unnormed (that before the final norm, "
            + "as MSN is evaluated), class-mean (both of the last layer, side by side, as iBOT is probed), interleaved (both, number by number, as "
            + "DINO is), or auto: the class token where there is one.",
        DefaultValueFactory = _ => Auto,
        HelpName = "POOL",
    };
    private readonly Option<int?> _size = new("--size")
    {
        Description = "Side of the square images in pixels; that of the training if not given.",
        HelpName = "N",
    };
    private readonly Option<string> _transform = new("--transform")
    {
        Description = "paper: resize, then cut out the centre; squash: the whole image. auto: paper, but squash for count and distance.",
        DefaultValueFactory = _ => Auto,
        HelpName = "HOW",
    };
    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Images a pass of the encoder.",
        DefaultValueFactory = _ => 64,
        HelpName = "N",
    };
    private readonly Option<string> _device = new("--device")
    {
        Description = "auto, cpu, cuda or cuda:N.",
        DefaultValueFactory = _ => Auto,
        HelpName = "DEVICE",
    };
    private readonly Option<string> _precision = new("--precision")
    {
        Description = "fp32, bf16, or auto (by measuring).",
        DefaultValueFactory = _ => "fp32",
        HelpName = "PRECISION",
    };
    private readonly Option<int> _seed = new("--seed")
    {
        Description = "Seed of splits, draws, orders and the untrained encoder.",
        DefaultValueFactory = _ => 0,
        HelpName = "N",
    };
    private readonly Option<string> _baselines = new("--baselines")
    {
        Description = "on: beside the encoder also raw pixels, an untrained encoder and the commonest class; off: not.",
        HelpName = "on|off",
    };
    private readonly Option<int?> _maxFit = new("--max-fit") { Description = "Fit on so many of the images, always the same ones.", HelpName = "N" };
    private readonly Option<int?> _maxTest = new("--max-test")
    {
        Description = "Score on so many of the images, always the same ones.",
        HelpName = "N",
    };
    private readonly Option<string?> _cache = new("--cache")
    {
        Description = $"Folder to keep features in; {FeatureCache.DefaultFolder() ?? "none, for want of a home folder,"} if not given.",
        HelpName = "DIR",
    };
    private readonly Option<bool> _noCache = new("--no-cache") { Description = "Keep no features, and use none that were kept." };
    private readonly Option<double> _cacheLimit = new("--cache-limit")
    {
        Description = "Most gigabytes of kept features.",
        DefaultValueFactory = _ => FeatureCache.DefaultLimit / (double)(1L << 30),
        HelpName = "GB",
    };

    private readonly MemoryOption _memory = new();
    private readonly Option<bool> _resume = new("--resume") { Description = "Go on with the run in --out, with the same options." };
    private readonly bool _runs;

    /// <param name="defaultFeatures">What <c>--features</c> is where it is not given.</param>
    /// <param name="baselines">Whether baselines are on where nothing is said.</param>
    /// <param name="runs">Whether the task trains a network, whose run can be kept and gone on with.</param>
    public EvaluationArguments(string defaultFeatures, bool baselines = true, bool runs = false)
    {
        _runs = runs;
        if (runs)
            (_out.Description, _out.HelpName) =
                ("A folder to keep the run in, with the results as evaluation.json; or FILE.json for the results alone.", "RUN");
        _features.DefaultValueFactory = _ => defaultFeatures;
        _baselines.DefaultValueFactory = _ => baselines ? "on" : "off";
    }

    public WeightsArguments Weights { get; } = new();

    /// <summary>Adds them to a task.</summary>
    /// <param name="command">The task.</param>
    /// <param name="ownBatch">Whether the task has a <c>--batch</c> of its own.</param>
    public void AddTo(Command command, bool ownBatch = false)
    {
        Weights.AddTo(command, "Which encoder to use: target (the default) or context.");
        foreach (var option in (Option[])[_data, _test, _out, _features, _pool, _size, _transform, _device, _precision, _seed, _baselines, _maxFit,
            _maxTest, _cache, _noCache, _cacheLimit, _memory])
            command.Add(option);
        if (!ownBatch) command.Add(_batch);
        if (_runs) command.Add(_resume);
        _features.AcceptOnlyFromAmong("last", "last4", PoolOption.LastNormed, "both", "patches");
        _pool.AcceptOnlyFromAmong(Auto, "mean", "class", PoolOption.Unnormed, PoolOption.SideBySide, PoolOption.Interleaved);
        _transform.AcceptOnlyFromAmong(Auto, "paper", "squash");
        _precision.AcceptOnlyFromAmong(Auto, "fp32", "bf16");
        _baselines.AcceptOnlyFromAmong("on", "off");
        _batch.RequireAtLeast(1);
        _size.RequireAtLeast(1);
        _seed.RequireAtLeast(0);
        _maxFit.RequireAtLeast(2);
        _maxTest.RequireAtLeast(1);
    }

    /// <summary>Whether the result is written to a file, too.</summary>
    public bool HasFile(ParseResult arguments) => arguments.GetValue(_out) is not null;

    /// <summary>Reads them.</summary>
    /// <exception cref="JepaException">The output cannot be written, or the limit is no size.</exception>
    public EvaluationRequest Read(ParseResult arguments)
    {
        _memory.Bound(arguments);
        var output = arguments.GetValue(_out);
        var run = _runs && output is not null && !output.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? output : null;
        var isResumed = _runs && arguments.GetValue(_resume);
        if (isResumed && run is null) throw new JepaException("--resume goes on with a run: give its folder with --out RUN.", isUsage: true);
        if (run is not null)
        {
            output = Path.Combine(run, "evaluation.json");
        }
        else if (output is not null)
        {
            var folder = Path.GetDirectoryName(Path.GetFullPath(output))!;
            if (Directory.Exists(output)) throw new JepaException($"{output} is a folder. Give a file ending in .json.", isUsage: true);
            if (!Directory.Exists(folder))
                throw new JepaException(
                    $"There is no folder {folder} to write {Path.GetFileName(output)} into. Make it, or give another --out.", isUsage: true);
        }

        var gigabytes = arguments.GetValue(_cacheLimit);
        if (!(gigabytes > 0))
            throw new JepaException($"--cache-limit {gigabytes.ToString(CultureInfo.InvariantCulture)}: expected more than 0.", isUsage: true);
        return new EvaluationRequest
        {
            Data = arguments.GetValue(_data)!,
            Test = arguments.GetValue(_test),
            Out = output,
            Run = run,
            IsResumed = isResumed,
            Features = arguments.GetValue(_features)!,
            Pool = arguments.GetValue(_pool)!,
            Size = arguments.GetValue(_size),
            Transform = arguments.GetValue(_transform) is { } how && how != Auto ? how : null,
            Batch = arguments.GetResult(_batch) is null ? 64 : arguments.GetValue(_batch),
            Device = arguments.GetValue(_device)!,
            Precision = arguments.GetValue(_precision)!,
            Seed = (ulong)arguments.GetValue(_seed),
            Baselines = arguments.GetValue(_baselines) == "on",
            MaxFit = arguments.GetValue(_maxFit),
            MaxTest = arguments.GetValue(_maxTest),
            Cache = !arguments.GetValue(_noCache) && (arguments.GetValue(_cache) ?? FeatureCache.DefaultFolder()) is { } cache
                ? new FeatureCache(cache, (long)Math.Min(gigabytes * (1L << 30), long.MaxValue / 2))
                : null,
            HasNoHome = !arguments.GetValue(_noCache) && (arguments.GetValue(_cache) ?? FeatureCache.DefaultFolder()) is null,
        };
    }
}

/// <summary>What was asked for.</summary>
internal sealed record EvaluationRequest
{
    public required string Data { get; init; }

    public required string? Test { get; init; }

    public required string? Out { get; init; }

    /// <summary>The folder to keep a run in; null where none is kept.</summary>
    public required string? Run { get; init; }

    /// <summary>Whether to go on with the run that is there.</summary>
    public required bool IsResumed { get; init; }

    public required string Features { get; init; }

    /// <summary>auto, mean or class.</summary>
    public required string Pool { get; init; }

    public required int? Size { get; init; }

    /// <summary>"paper" or "squash"; null for what suits the task.</summary>
    public required string? Transform { get; init; }

    public required int Batch { get; init; }

    public required string Device { get; init; }

    public required string Precision { get; init; }

    public required ulong Seed { get; init; }

    public required bool Baselines { get; init; }

    public required int? MaxFit { get; init; }

    public required int? MaxTest { get; init; }

    /// <summary>null for none.</summary>
    public required FeatureCache? Cache { get; init; }

    /// <summary>Whether there is no cache because there is no place for one.</summary>
    public required bool HasNoHome { get; init; }
}
