using System.CommandLine;
using System.Globalization;
using JepaSharp.Objectives;
using JepaSharp.Runs;
using JepaSharp.Training;

namespace JepaSharp.Cli.Verbs;

/// <summary>What <c>jepa pretrain</c> was asked for; null where nothing was said.</summary>
/// <param name="Config">A YAML file.</param>
/// <param name="Data">Images to train on; the built-in scenes without it.</param>
/// <param name="Out">The run folder.</param>
/// <param name="Resume">Whether to go on with the run in <paramref name="Out"/>.</param>
/// <param name="Init">Weights to begin with.</param>
/// <param name="Device">auto, cpu, cuda or cuda:N.</param>
/// <param name="Precision">auto, fp32 or bf16.</param>
/// <param name="Minutes">How long a run should take whose recipe the command chooses.</param>
/// <param name="MaxSteps">Stop after so many steps; schedules are not changed by it.</param>
/// <param name="Settings">Configuration keys to set, as section.key=value, in order.</param>
/// <param name="Quiet">Plain progress lines even on a terminal.</param>
/// <param name="Profile">Whether to say at the end where the time went.</param>
/// <param name="Objective">What is learned: see <see cref="KnownObjectives"/>.</param>
/// <param name="Teacher">Weights of an encoder that teaches: what is learned is then distillation, where nothing else is said.</param>
/// <param name="AsPublished">Whether what is not given is as published, instead of chosen for the images.</param>
/// <param name="DryRun">Whether only to try it: build everything, take a step, say what a run would take.</param>
internal sealed record PretrainArguments(
    string? Config, string? Data, string? Out, bool Resume, string? Init, string? Device, string? Precision, double? Minutes,
    long? MaxSteps,
    IReadOnlyList<string> Settings, bool Quiet,
    bool Profile = false, bool DryRun = false, string? Objective = null, bool AsPublished = false, string? Teacher = null)
{
    private const int MostMinutes = 31 * 24 * 60;

    /// <summary>How long the run should take; null where nothing was said.</summary>
    public TimeSpan? Time => Minutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null;

    /// <summary>Everything that sets a configuration key, as <c>section.key=value</c>; options of their own win over <c>--set</c>.</summary>
    public IEnumerable<string> Overrides()
    {
        foreach (var setting in Settings) yield return setting;
        if ((Objective ?? (Teacher is null || Resume ? null : Distillation.ShortName)) is { } learned) yield return $"meta.objective={learned}";
        if (Teacher is not null) yield return $"distill.teacher={RunSetup.Quoted(Teacher)}";
        if (Device is not null) yield return $"meta.device={Device}";
        if (Precision is not null) yield return $"meta.precision={Precision}";
        if (MaxSteps is not null) yield return string.Create(CultureInfo.InvariantCulture, $"optimization.max_steps={MaxSteps}");
    }

    /// <summary>Whether a resume changes what the run is from here on, and not for this process alone.</summary>
    public bool ChangesTheRun => Resume && (Settings.Count > 0 || Data is not null || Teacher is not null);

    /// <summary>What a resume keeps in the run's configuration, as <c>section.key=value</c>.</summary>
    public IEnumerable<string> Lasting()
    {
        foreach (var setting in Settings) yield return setting;
        if (Data is not null) yield return $"data.path={RunSetup.Quoted(Data)}";
        if (Teacher is not null) yield return $"distill.teacher={RunSetup.Quoted(Teacher)}";
    }

    /// <summary>The options as the command line knows them.</summary>
    internal sealed class Options
    {
        private readonly Argument<string?> _config = new("CONFIG")
        {
            Description = "A YAML configuration; without one, a sensible one is chosen for the data and the machine.",
            Arity = ArgumentArity.ZeroOrOne,
        };

        private readonly Option<string?> _data = new("--data")
        {
            Description = "Images to train on. Without it: rendered scenes, built in.",
            HelpName = "PATH",
        };
        private readonly Option<string?> _out = new("--out") { Description = "The run folder; runs/DATE-TIME-MODEL if not given.", HelpName = "RUN" };
        private readonly Option<bool> _resume = new("--resume")
        {
            Description = "Go on with the run in --out from its newest checkpoint; --set optimization.epochs=N makes it longer.",
        };

        private readonly Option<string?> _init = new("--init")
        {
            Description = "Begin with these weights instead of random ones.",
            HelpName = "PATH",
        };
        private readonly Option<string?> _objective = new("--objective")
        {
            Description = $"What is learned: {string.Join(" or ", KnownObjectives.Names)}; that of the configuration if not given.",
            HelpName = "NAME",
        };
        private readonly Option<string?> _teacher = new("--teacher")
        {
            Description = "Weights of a trained encoder, from which a smaller one learns (--objective distill).",
            HelpName = "PATH",
        };
        private readonly Option<string?> _device = new("--device") { Description = "auto, cpu, cuda or cuda:N.", HelpName = "DEVICE" };
        private readonly Option<string?> _precision = new("--precision")
        {
            Description = "auto (by measuring), fp32 or bf16.",
            HelpName = "PRECISION",
        };
        private readonly Option<double?> _minutes = new("--minutes")
        {
            Description = "How long the run should take, where the command chooses; 30 if not given.",
            HelpName = "N",
        };
        private readonly Option<string> _recipe = new("--recipe")
        {
            Description = "folder: what suits the images, the machine and the time; paper: what is not given is as published.",
            DefaultValueFactory = _ => "folder",
            HelpName = "RECIPE",
        };
        private readonly Option<long?> _maxSteps = new("--max-steps")
        {
            Description = "Stop after so many steps; the schedules stay those of the whole run.",
            HelpName = "N",
        };

        private readonly Option<string[]> _set = new("--set")
        {
            Description = "Set a configuration key; may be repeated.",
            HelpName = "SECTION.KEY=VALUE",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };

        private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Plain progress lines, also on a terminal." };
        private readonly Option<bool> _dryRun = new("--dry-run")
        {
            Description = "Build everything, take a step or two, say shapes, memory and the time of a whole run. Writes nothing.",
        };
        private readonly Option<bool> _profile = new("--profile") { Description = "Say at the end where the time of training went." };

        /// <summary>Adds them to a verb.</summary>
        public void AddTo(Command command)
        {
            command.Add(_config);
            foreach (var option in (Option[])
                [
                    _data, _out, _resume, _init, _objective, _teacher, _device, _precision, _recipe, _minutes, _maxSteps, _set, _quiet, _profile,
                    _dryRun,
                ])
                command.Add(option);
            _precision.AcceptOnlyFromAmong("auto", "fp32", "bf16");
            _recipe.AcceptOnlyFromAmong("folder", "paper");
            _objective.AcceptOnlyFromAmong([.. KnownObjectives.Names]);
            _maxSteps.Validators.Add(result =>
            {
                // What is no number at all, the parser reports itself.
                if (result.Tokens is [var token] && long.TryParse(token.Value, CultureInfo.InvariantCulture, out var steps) && steps < 1)
                    result.AddError($"--max-steps {token.Value}: expected at least 1.");
            });
            _minutes.Validators.Add(result =>
            {
                if (result.Tokens is [var token] && double.TryParse(token.Value, CultureInfo.InvariantCulture, out var minutes)
                    && minutes is not (> 0 and <= MostMinutes))
                {
                    result.AddError($"--minutes {token.Value}: expected more than 0, and at most {MostMinutes} (a month).");
                }
            });
            _set.Validators.Add(result =>
            {
                foreach (var token in result.Tokens.Where(t => t.Value.IndexOf('=', StringComparison.Ordinal) < 1))
                    result.AddError($"--set {token.Value}: expected SECTION.KEY=VALUE, for example --set optimization.epochs=20.");
            });
            command.Validators.Add(result =>
            {
                if (result.GetValue(_minutes) is not null && Fixed(result) is { } fixedBy)
                    result.AddError($"--minutes chooses how many passes a run makes, and {fixedBy}: give one of them.");
                if (result.GetResult(_recipe) is { Implicit: false } && (result.GetValue(_config) is not null || result.GetValue(_resume)))
                    result.AddError("--recipe is for a new run without a configuration file, which is a recipe of its own: give one of them.");
                var asPublished = result.GetResult(_recipe)?.Tokens is [{ Value: "paper" }];
                if (asPublished && result.GetResult(_minutes) is not null)
                    result.AddError("--minutes chooses how many passes a run makes, and --recipe paper has its own: give one of them.");
                if (asPublished && result.GetValue(_data) is null)
                    result.AddError("--recipe paper is for images of your own: give them with --data.");
                if (result.GetValue(_resume) && result.GetValue(_out) is null)
                    result.AddError("--resume needs --out RUN, the folder of the run to go on with.");
                if (result.GetValue(_resume) && result.GetValue(_dryRun))
                    result.AddError("--dry-run tries a run that is not begun yet: it cannot be given with --resume.");
                if (result.GetValue(_resume) && result.GetValue(_objective) is not null)
                    result.AddError("--resume and --objective exclude each other: a resumed run learns what it began with.");
                if (result.GetValue(_resume) && result.GetValue(_init) is not null)
                    result.AddError("--resume and --init exclude each other: a resumed run has its own weights.");
            });
        }

        /// <summary>What fixes the passes, so that minutes cannot; null for nothing.</summary>
        private string? Fixed(System.CommandLine.Parsing.CommandResult result) =>
            result.GetValue(_config) is { } config ? $"{config} says how many (optimization.epochs)"
            : result.GetValue(_resume) ? "a resumed run has its own" : null;

        /// <summary>Reads what was given.</summary>
        public PretrainArguments Read(ParseResult parsed) => new(
            parsed.GetValue(_config), parsed.GetValue(_data), parsed.GetValue(_out), parsed.GetValue(_resume), parsed.GetValue(_init),
            parsed.GetValue(_device),
            parsed.GetValue(_precision), parsed.GetValue(_minutes), parsed.GetValue(_maxSteps), parsed.GetValue(_set) ?? [], parsed.GetValue(_quiet),
            parsed.GetValue(_profile), parsed.GetValue(_dryRun), parsed.GetValue(_objective), parsed.GetValue(_recipe) == "paper",
            parsed.GetValue(_teacher));
    }
}
