// Evaluated in the page; the value is a list of what is wrong with it (WCAG 2.2 by number).
(() => {
  const MIN_CONTRAST = 4.5;
  const MIN_TARGET_PX = 44;
  const problems = [];

  const isVisible = (node) =>
    node.checkVisibility({ visibilityProperty: true }) && node.closest(".spoken") === null;
  const describe = (node) =>
    `<${node.tagName.toLowerCase()}${node.id ? ` id=${node.id}` : ""}> "${node.textContent.trim().slice(0, 30)}"`;

  function rgba(text) {
    const [red, green, blue, alpha = 1] = text.match(/[\d.]+/g).map(Number);
    return { channels: [red, green, blue], alpha };
  }

  function luminance(channels) {
    const [red, green, blue] = channels.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function background(node) {
    for (let at = node; at !== null; at = at.parentElement) {
      const { channels, alpha } = rgba(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return channels;
      if (alpha !== 0)
        problems.push(`${describe(at)} has a background that this audit cannot judge`);
    }
    return [255, 255, 255];
  }

  // 1.4.3
  for (const node of document.querySelectorAll("body *")) {
    const hasText = [...node.childNodes].some(
      (child) => child.nodeType === Node.TEXT_NODE && child.textContent.trim() !== "",
    );
    if ((!hasText && node.tagName !== "INPUT") || !isVisible(node)) continue;
    const lights = [rgba(getComputedStyle(node).color).channels, background(node)].map(luminance);
    const contrast = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    if (contrast < MIN_CONTRAST)
      problems.push(`${describe(node)} has a contrast of ${contrast.toFixed(2)}`);
  }

  // 1.3.1, 4.1.2, 2.5.8
  for (const node of document.querySelectorAll("input, button, a")) {
    if (!isVisible(node)) continue;
    const labels = [...(node.labels ?? [])].map((label) => label.textContent.trim()).join(" ");
    const own = node.tagName === "INPUT" ? "" : node.textContent.trim();
    if (!(node.getAttribute("aria-label") ?? (labels || own)))
      problems.push(`${describe(node)} has no name`);
    const target = node.type === "radio" ? node.closest("label") : node;
    if (node.tagName !== "A" && target.getBoundingClientRect().height < MIN_TARGET_PX)
      problems.push(`${describe(node)} is hard to hit`);
    for (const id of (node.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean))
      if (document.getElementById(id) === null) problems.push(`${describe(node)} refers to ${id}`);
    if (node.tabIndex !== 0) problems.push(`${describe(node)} cannot be reached with the keyboard`);
  }

  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of ids)
    if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push(`id ${id} twice`);
  if (document.documentElement.lang === "") problems.push("no language"); // 3.1.1
  if (document.title === "") problems.push("no title"); // 2.4.2
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one main heading");
  if (document.querySelector('[role="status"], [role="alert"], [aria-live]') === null)
    problems.push("no live region"); // 4.1.3
  if (document.documentElement.scrollWidth > screen.width) problems.push("scrolls sideways"); // 1.4.10
  return [...new Set(problems)];
})();
