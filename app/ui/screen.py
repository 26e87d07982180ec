"""Whether a visitor's screen is a phone's: the page's HTML notes it, since Streamlit does not know."""

WIDTH = 640  # pixels, of the widest that is narrow
NAME = "narrow"  # of the cookie
SCRIPT = (
    f'document.cookie="{NAME}="+(matchMedia("(max-width: {WIDTH}px)").matches?1:0)'
    '+";path=/;max-age=31536000;samesite=lax"'
)
# 44 pixels are what a finger hits (WCAG 2.5.5); a link's words are not cut off at the end of a line.
STYLE = """<style>
:is(.stApp, [role=dialog], [data-testid=stPopoverBody], [data-testid=stToast])
:is(button, input, [role=combobox], [data-testid=stPageLink-NavLink], [data-testid^=stBaseLinkButton],
[data-baseweb=select] > div) {
    min-height: 44px; min-width: 44px;
}
:is([role=menuitem], [role=option]) { min-height: 44px; }
.st-key-cards a { border: 1px solid rgb(128 128 128 / 30%); padding: 0.5rem 0.75rem; }
.st-key-cards a p { white-space: normal; overflow-wrap: anywhere; }
</style>"""
